/** Bytes that two rows refer to are kept for each: what removes one leaves the other. */
import type { BlobRef, ImageStore } from '../../ports/image-store.ts';

/**
 * Copies a blob; resolves when the copy is on stable storage.
 * @throws {Fault} not-found - there is no such blob
 * @throws {Fault} no-store - the disk is full
 */
export async function copyBlob(images: ImageStore, { name }: BlobRef): Promise<BlobRef> {
  const writer = await images.create();
  try {
    for await (const chunk of await images.open(name)) await writer.write(chunk as Buffer);
    return await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
