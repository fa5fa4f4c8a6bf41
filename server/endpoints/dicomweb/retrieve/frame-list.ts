/** The list of frames in a path. @see DICOM PS3.18 section 10.4.1.1.6 */
import { Fault } from '../../../../profiles/fault.ts';

/** Most frames of one request. */
export const MAX_FRAMES = 1_000;

/**
 * Reads a list of frame numbers, which begin at 1 and stand once each.
 * @throws {Fault} invalid - it is none
 * @throws {Fault} too-long - it names more than {@link MAX_FRAMES}
 */
export function parseFrameList(text: string): readonly number[] {
  const numbers = text.split(',').map((number) => (/^[1-9]\d{0,8}$/.test(number.trim()) ? Number(number) : Number.NaN));
  const isList = !numbers.some(Number.isNaN) && new Set(numbers).size === numbers.length;
  if (!isList)
    throw new Fault('invalid', 'Frames are a list of numbers from 1 on, each once', { expression: 'frames' });
  if (numbers.length > MAX_FRAMES)
    throw new Fault('too-long', `At most ${MAX_FRAMES} frames are asked for at a time`, { expression: 'frames' });
  return numbers;
}
