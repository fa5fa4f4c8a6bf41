/** Memory that is given back before the collector comes by. */

/** Gives the memory of bytes back that have a buffer of their own; nobody may look at them any more. */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
