/** What is made of a paper by which a patient shares again, beside {@link PRODUCED} of produced.ts. */
import {
  buildPaperConsent,
  buildPaperProvenance,
  buildPaperTask,
  closedPaper,
  decidedPaper,
} from '../../../profiles/consent/reconsent/paper.ts';
import { buildPaperNotice } from '../../../profiles/notices/news.ts';

const told = { id: 'x1', patient: 'Patient/p1', now: Date.UTC(2026, 10, 30, 8) };
const facts = { ...told, officer: 'Practitioner/d1', identity: 'Carte d’identité' };
const paper = buildPaperTask({ ...facts, paper: { title: 'Classeur 7' } });
const decision = { comment: 'Signature comparée', officer: 'Practitioner/d2', now: told.now };
const confirmed = decidedPaper(paper, { ...decision, verdict: 'confirmed', consent: 'Consent/c1' });

/** Each with the function that makes it. */
export const ON_PAPER = [
  { builder: 'buildPaperTask', resource: paper },
  {
    builder: 'buildPaperTask',
    of: 'an address',
    resource: buildPaperTask({ ...facts, paper: { url: 'https://archive.example/p1' } }),
  },
  { builder: 'decidedPaper', of: 'confirmed', resource: confirmed },
  { builder: 'decidedPaper', of: 'refused', resource: decidedPaper(paper, { ...decision, verdict: 'refused' }) },
  { builder: 'closedPaper', resource: closedPaper(paper, told.now) },
  { builder: 'buildPaperConsent', resource: buildPaperConsent(paper, { ...told, isShared: true }) },
  { builder: 'buildPaperProvenance', resource: buildPaperProvenance('x2', confirmed) },
  { builder: 'buildPaperNotice', resource: buildPaperNotice({ ...told, consent: 'Consent/c1' }) },
] as const;
