import { expect } from 'chai';
import { FormReceiver, FormSender } from '../../../../../server/stores/sqlite/audit/sent-forms.ts';
import { toWireAudit } from '../../../../../server/stores/sqlite/audit/wire-audit.ts';
import { anAudit } from '../../../../support/plans.ts';

describe('The forms of events on their way to the writer (SQLite)', () => {
  const anEvent = () => toWireAudit(anAudit());

  it('are sent until the writer has them, and stand for themselves from then on', () => {
    const [sender, receiver] = [new FormSender(), new FormReceiver()];
    const [lost, first, second] = [anEvent(), anEvent(), anEvent()];
    expect(sender.shorten(lost).form).to.have.property('frame');
    const sent = sender.shorten(first);
    expect(sent.form).to.have.property('frame');
    expect(receiver.restore(sent)).to.deep.equal(first);
    sender.areThere([sent]);
    const short = sender.shorten(second);
    expect(short.form).to.be.a('number');
    expect(JSON.stringify(short)).not.to.contain('"resourceType');
    expect(receiver.restore(short)).to.deep.equal(second);
  });

  it('have no number beyond a thousand, and none that was given to other values', () => {
    const [sender, receiver] = [new FormSender(), new FormReceiver()];
    const { body, ...event } = anEvent();
    const ofForm = (frame: string, entries: string) => ({ ...event, body: { ...body, frame }, entries });
    for (let turn = 0; turn < 2; turn += 1)
      for (let at = 0; at < 1_100; at += 1) {
        const sent = sender.shorten(ofForm(`frame ${at}`, 'a'));
        expect(typeof sent.form).to.equal(turn === 1 && at < 1_000 ? 'number' : 'object');
        expect(receiver.restore(sent)).to.deep.equal(ofForm(`frame ${at}`, 'a'));
        sender.areThere([sent]);
      }
    const other = sender.shorten(ofForm('frame 1', 'b'));
    expect(receiver.restore(other)).to.deep.equal(ofForm('frame 1', 'b'));
    expect(receiver.restore(sender.shorten(ofForm('frame 1', 'a')))).to.deep.equal(ofForm('frame 1', 'a'));
  });

  it('are refused when they never came', () => {
    const event = { ...new FormSender().shorten(anEvent()), form: 0 };
    expect(() => new FormReceiver().restore(event)).to.throw(/never came/);
  });
});
