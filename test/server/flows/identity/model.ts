/**
 * Who may be who, and who sees what of whom: the rules of identity.md in their own words. It imports nothing of the
 * product, and keeps what was said and done by short names alone.
 *
 * Which identities are one person depends on who was first where sources contradict each other. So the model says of
 * each two whether they are one, are not, or may be either; what then follows from who is who it says exactly.
 */

/** What an establishment says of a patient: what a feed brings. `number` is a national one. */
export type Said = {
  readonly traits: string;
  readonly number?: string;
  /** Its source qualifies the number, and says that it is sure of it. */
  readonly isQualified: boolean;
  /** The name of the identity of the same establishment that takes this one over. */
  readonly replacedBy?: string;
};

/** An identity by its establishment and its number there. Of one that images alone made known nothing is said. */
export type ModelIdentity = { readonly name: string; readonly establishment: string; readonly said?: Said };

/**
 * An instance as an establishment sent it, in the study that it names: another may have sent the same. `identity` is
 * the one that it is filed under, by name; `movedFrom` the one that it was filed under before its study was moved.
 */
export type ModelInstance = {
  readonly uid: string;
  readonly establishment: string;
  readonly identity: string;
  readonly movedFrom?: string;
};

/** A report by an establishment of an identity, that names a study. */
export type ModelReport = {
  readonly name: string;
  readonly establishment: string;
  readonly identity: string;
  readonly study: string;
  readonly isFinal: boolean;
};

/** Whose the study is: the identity of whoever filed it first. */
export type ModelStudy = { readonly owner: string; readonly instances: readonly ModelInstance[] };

/** What a reader sees, sorted: studies as `name:instances`, reports and identities by name. */
export type Seen = {
  readonly studies: readonly string[];
  readonly reports: readonly string[];
  /** Current ones: of each study its manifest, of each final report its form. */
  readonly documents: number;
  /** Identities whose local identifiers may be shown: a study is filed under its owner, a report under its patient. */
  readonly numbers: readonly string[];
};

/** Persons by the names of their identities, as the product has them. */
export type Partition = ReadonlyMap<string, string>;

/** Who asks. The radiologist reads at the imaging service of the establishment. */
export type Reader =
  | { readonly kind: 'establishment' | 'radiologist'; readonly establishment: string }
  | { readonly kind: 'patient'; readonly identity: string }
  | { readonly kind: 'declared' | 'stranger' };

/** `said`: a desk said something of the two once, and it is not known whether that is kept. */
type Verdict = 'same' | 'apart' | 'said';

/** What was said and done. */
export class Model {
  readonly identities = new Map<string, ModelIdentity>();
  readonly studies = new Map<string, ModelStudy>();
  readonly reports = new Map<string, ModelReport>();
  /** Identities by which a professional was declared. */
  readonly declared = new Set<string>();
  readonly #verdicts = new Map<string, Verdict>();

  /** A feed (ITI-104). */
  feed(name: string, establishment: string, said: Said): void {
    this.identities.set(name, { name, establishment, said });
  }

  /** An image that names a patient of its sender's. */
  image(study: string, instance: ModelInstance): void {
    const { identity: name, establishment } = instance;
    if (!this.identities.has(name)) this.identities.set(name, { name, establishment });
    const standing = this.studies.get(study) ?? { owner: name, instances: [] };
    const isKnown = standing.instances.some((one) => one.uid === instance.uid && one.establishment === establishment);
    if (!isKnown) this.studies.set(study, { ...standing, instances: [...standing.instances, instance] });
  }

  /** A report, new or again. It has come to its end when it is final. */
  report(report: ModelReport): void {
    this.reports.set(report.name, report);
  }

  /** A desk joins two; it is a verdict as far as they would not be one by themselves. */
  join(one: string, other: string): void {
    this.#verdicts.set(pair(one, other), 'same');
  }

  /** A desk separates two; that is kept where they would be one by themselves. */
  separate(one: string, other: string): void {
    const key = pair(one, other);
    this.#verdicts.delete(key);
    this.#verdicts.set(key, this.#mustBeOne(one, other) ? 'apart' : 'said');
  }

  /** An exam becomes another identity's, with all that is filed under its own; what joined a moved one stays. */
  move(study: string, identity: string): void {
    const standing = this.studies.get(study);
    if (standing === undefined) return;
    const own = standing.instances.filter((one) => one.identity === standing.owner);
    const moved = own.filter(({ movedFrom }) => movedFrom !== undefined);
    const going = moved.length > 0 ? moved : own;
    const instances = standing.instances.map((one) => (going.includes(one) ? movedTo(one, identity) : one));
    this.studies.set(study, { owner: identity, instances });
  }

  /** An exam is erased with what is kept aside of it and with its reports; those of others forget it. */
  erase(study: string, who: Partition): void {
    const standing = this.studies.get(study);
    if (standing === undefined) return;
    for (const report of [...this.reports.values()].filter((one) => one.study === study))
      if (this.#counts(report, standing, who)) this.reports.delete(report.name);
      else this.reports.set(report.name, { ...report, study: '' });
    this.studies.delete(study);
  }

  /** What is kept aside from a sender becomes part of the study: all of one identity. */
  release(study: string, identity: string): void {
    const standing = this.studies.get(study);
    if (standing === undefined) return;
    const taken = standing.instances.map((one) =>
      one.identity === identity ? { ...one, identity: standing.owner } : one,
    );
    this.studies.set(study, { ...standing, instances: taken });
  }

  /** What is kept aside from a sender ends. */
  discard(study: string, identity: string): void {
    const standing = this.studies.get(study);
    if (standing === undefined) return;
    this.studies.set(study, {
      ...standing,
      instances: standing.instances.filter((one) => one.identity !== identity),
    });
  }

  /** What contradicts the rules in who is who, as sentences; none when all is as it may be. */
  contradictions(who: Partition): readonly string[] {
    const names = [...this.identities.keys()];
    const found: string[] = [];
    for (const [at, one] of names.entries())
      for (const other of names.slice(at + 1)) {
        const areOne = who.get(one) === who.get(other);
        if (areOne && !this.#mayBeOne(one, other)) found.push(`${one} and ${other} are one person, and must not be`);
        if (!areOne && this.#mustBeOne(one, other)) found.push(`${one} and ${other} are two persons, and must be one`);
      }
    return found;
  }

  /** What a reader sees at rest. */
  seen(reader: Reader, who: Partition): Seen {
    const studies = [...this.studies].filter(([name, study]) => this.#seesStudy(reader, name, study, who));
    const reports = [...this.reports.values()].filter((report) => this.#seesReport(reader, report, who));
    const shown = new Set([...studies.map(([, { owner }]) => owner), ...reports.map(({ identity }) => identity)]);
    const numbers = [...this.identities.values()].filter(
      ({ name, establishment }) =>
        shown.has(name) ||
        (reader.kind === 'establishment' && reader.establishment === establishment) ||
        (reader.kind === 'patient' && who.get(reader.identity) === who.get(name)),
    );
    return {
      studies: studies.map(([name, study]) => `${name}:${this.#countOf(study, who)}`).sort(),
      reports: reports.map(({ name }) => name).sort(),
      documents: studies.length + reports.filter(({ isFinal }) => isFinal).length,
      numbers: numbers.map(({ name }) => name).sort(),
    };
  }

  /** What several sent alike is one instance. */
  #countOf(study: ModelStudy, who: Partition): number {
    return new Set(this.#filed(study, who).map(({ uid }) => uid)).size;
  }

  /** Instances of a study that are of its person; the others are kept aside. */
  #filed({ owner, instances }: ModelStudy, who: Partition): readonly ModelInstance[] {
    return instances.filter(({ identity }) => who.get(identity) === who.get(owner));
  }

  #seesStudy(reader: Reader, name: string, study: ModelStudy, who: Partition): boolean {
    const person = who.get(study.owner);
    if (this.#filed(study, who).length === 0) return false;
    switch (reader.kind) {
      case 'stranger':
        return false;
      case 'establishment':
        return this.#sources(study, who).includes(reader.establishment);
      case 'patient':
        return who.get(reader.identity) === person && this.#isReleased(name, study, who);
      case 'declared':
        return this.#isDeclared(person, who);
      case 'radiologist':
        return this.#isTreated(reader.establishment, person, who);
    }
  }

  #seesReport(reader: Reader, { identity, establishment, isFinal }: ModelReport, who: Partition): boolean {
    const person = who.get(identity);
    switch (reader.kind) {
      case 'stranger':
        return false;
      case 'establishment':
        return establishment === reader.establishment;
      case 'patient':
        return who.get(reader.identity) === person && isFinal;
      case 'declared':
        return this.#isDeclared(person, who) && isFinal;
      case 'radiologist':
        return this.#isTreated(reader.establishment, person, who);
    }
  }

  #sources(study: ModelStudy, who: Partition): readonly string[] {
    return this.#filed(study, who).map(({ establishment }) => establishment);
  }

  /** A final report of it. */
  #isReleased(name: string, study: ModelStudy, who: Partition): boolean {
    const reports = [...this.reports.values()].filter((report) => report.study === name && report.isFinal);
    return reports.some((report) => this.#counts(report, study, who));
  }

  /** A report is of a study when it is of its person, by an establishment whose exam it is. */
  #counts({ identity, establishment }: ModelReport, study: ModelStudy, who: Partition): boolean {
    return who.get(identity) === who.get(study.owner) && this.#sources(study, who).includes(establishment);
  }

  #isDeclared(person: string | undefined, who: Partition): boolean {
    return [...this.declared].some((name) => who.get(name) === person);
  }

  /** An establishment has an exam or a report of her. */
  #isTreated(establishment: string, person: string | undefined, who: Partition): boolean {
    const hasExam = [...this.studies.values()].some(
      (study) => who.get(study.owner) === person && this.#sources(study, who).includes(establishment),
    );
    const reports = [...this.reports.values()];
    return hasExam || reports.some((one) => who.get(one.identity) === person && one.establishment === establishment);
  }

  /** Two are one person only when numbers that agree, merges and what desks said lead from one to the other. */
  #mayBeOne(one: string, other: string): boolean {
    const isApart = this.#verdicts.get(pair(one, other)) === 'apart' && !this.#isMerged(one, other);
    return !isApart && this.#reached(one).has(other);
  }

  /** Two are one person where nothing and nobody says otherwise of any of those who bear the number. */
  #mustBeOne(one: string, other: string): boolean {
    const number = this.#numberOf(one);
    if (number === undefined || number !== this.#numberOf(other)) return false;
    const bearers = [...this.identities.keys()].filter((name) => this.#numberOf(name) === number);
    const all = [...this.#reached(one)];
    const isPlain = all.every((name) => bearers.includes(name) && !this.#isSpokenOf(name));
    return isPlain && bearers.every((name) => this.#traitsOf(name) === this.#traitsOf(one));
  }

  #reached(from: string): ReadonlySet<string> {
    const reached = new Set([from]);
    for (const one of reached)
      for (const other of this.identities.keys()) if (this.#isLinked(one, other)) reached.add(other);
    return reached;
  }

  #isLinked(one: string, other: string): boolean {
    const number = this.#numberOf(one);
    const isShared = number !== undefined && number === this.#numberOf(other);
    const agrees = isShared && this.#traitsOf(one) === this.#traitsOf(other);
    return agrees || this.#isMerged(one, other) || this.#verdicts.get(pair(one, other)) === 'same';
  }

  #isMerged(one: string, other: string): boolean {
    const intoOf = (name: string): string | undefined => this.identities.get(name)?.said?.replacedBy;
    return intoOf(one) === other || intoOf(other) === one;
  }

  /** A desk or a merge says something of it. */
  #isSpokenOf(name: string): boolean {
    const isMerged = [...this.identities.values()].some(
      (one) => one.said?.replacedBy !== undefined && [one.name, one.said.replacedBy].includes(name),
    );
    return isMerged || [...this.#verdicts.keys()].some((key) => key.split(' ').includes(name));
  }

  #numberOf(name: string): string | undefined {
    const said = this.identities.get(name)?.said;
    return said?.isQualified === true ? said.number : undefined;
  }

  #traitsOf(name: string): string | undefined {
    return this.identities.get(name)?.said?.traits;
  }
}

function movedTo({ movedFrom, ...one }: ModelInstance, identity: string): ModelInstance {
  const first = movedFrom ?? one.identity;
  return { ...one, identity, ...(first === identity ? {} : { movedFrom: first }) };
}

function pair(one: string, other: string): string {
  return [one, other].sort().join(' ');
}
