/** What a command shows while it works. */
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { Progress, type Screen } from '../../../server/commands/progress.ts';

function screenOf(isTTY: boolean): { readonly screen: Screen; readonly text: () => string } {
  const screen = Object.assign(new PassThrough(), { isTTY });
  return { screen, text: () => String(screen.read() ?? '') };
}

describe('Progress of a command', () => {
  it('is a bar on a terminal, and leaves nothing behind', () => {
    const { screen, text } = screenOf(true);
    const progress = new Progress('Importing', undefined, screen);
    progress.expect(4);
    progress.show(4, 'x');
    expect(text()).to.equal(`\r\u001B[K  Importing  ${'█'.repeat(30)}  4/4  x`);
    progress.end();
    expect(text()).to.equal('\r\u001B[K');
  });

  it('is a line at each quarter elsewhere, and none while nobody knows how much there is', () => {
    const { screen, text } = screenOf(false);
    const progress = new Progress('Sending', undefined, screen);
    progress.show(1, '');
    progress.expect(8);
    for (let done = 2; done <= 8; done += 1) progress.show(done, '');
    progress.end();
    expect(text()).to.equal('  Sending  2/8\n  Sending  4/8\n  Sending  6/8\n  Sending  8/8\n');
  });
});
