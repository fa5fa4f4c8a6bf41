/** Puts the bytes of a document into the image store, with what XDS and MHD say of them. */
import { createHash } from 'node:crypto';
import type { BlobRef, ImageStore } from '../../ports/image-store.ts';

/** A stored document; `sha1Base64` is the hash of Attachment.hash. */
export type StoredDocument = { readonly blob: BlobRef; readonly sha1Base64: string };

/** Stores bytes; durable when resolved. */
export async function storeDocument(images: ImageStore, bytes: Uint8Array): Promise<StoredDocument> {
  const writer = await images.create();
  try {
    await writer.write(bytes);
    return { blob: await writer.finish(), sha1Base64: createHash('sha1').update(bytes).digest('base64') };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
