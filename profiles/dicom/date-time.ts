/** DICOM dates and times as FHIR writes them. @see DICOM PS3.5 6.2; FHIR R4 datatypes, dateTime */

/** Returns a DA, or its retired form with dots, as `YYYY-MM-DD`; undefined when it is no date. */
export function parseDate(text: string): string | undefined {
  const match = /^(\d{4})(\.?)(\d{2})\2(\d{2})$/.exec(text);
  if (match === null || match[1] === '0000') return undefined;
  const date = `${match[1]}-${match[3]}-${match[4]}`;
  const parsed = new Date(`${date}T00:00:00Z`);
  // Date may roll 30 February over into March.
  return Number.isNaN(parsed.getTime()) || !parsed.toISOString().startsWith(date) ? undefined : date;
}

/** Returns a TM as `HH:MM:SS[.ffffff]`, missing parts as zero; undefined when it is no time. */
export function parseTime(text: string): string | undefined {
  const match = /^([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d|60)(\.\d{1,6})?)?)?$/.exec(text);
  return match === null ? undefined : `${match[1]}:${match[2] ?? '00'}:${match[3] ?? '00'}${match[4] ?? ''}`;
}

/** Returns an offset from UTC (`+0100`) as `+01:00`; undefined when it is none that FHIR can hold. */
export function parseOffset(text: string): string | undefined {
  const match = /^([+-])(0\d|1[0-3])([0-5]\d)$|^([+-]14)00$/.exec(text);
  if (match === null) return undefined;
  return match[4] === undefined ? `${match[1]}${match[2]}:${match[3]}` : `${match[4]}:00`;
}

/** Gives the offset from UTC, as `+01:00`, of a local time `YYYY-MM-DDTHH:MM:SS`. */
export type OffsetOf = (localTime: string) => string;

/**
 * Makes the offsets of a time zone. A time that comes twice is the later one (standard time); a time that is skipped
 * counts by the offset before the change.
 * @param timeZone - IANA name; a name that does not exist is a RangeError
 */
export function offsetsOf(timeZone: string): OffsetOf {
  const known = ZONES.get(timeZone);
  if (known !== undefined) return known;
  const made = makeOffsets(timeZone);
  ZONES.set(timeZone, made);
  return made;
}

/** The zones that were asked for: those of configurations, which are few. To make a format takes long. */
const ZONES = new Map<string, OffsetOf>();

function makeOffsets(timeZone: string): OffsetOf {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  const offsetAt = (time: number): string => {
    const name = format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    return /[+-]\d\d:\d\d/.exec(name)?.[0] ?? '+00:00';
  };
  return (localTime) => {
    // A leap second has no instant of its own here.
    const wholeSecond = localTime.slice(0, 19).replace(/60$/, '59');
    const near = Date.parse(`${wholeSecond}${offsetAt(Date.parse(`${wholeSecond}Z`))}`);
    return offsetAt(near);
  };
}

/** A date and time as an instance gives them: DA, TM, and TimezoneOffsetFromUTC. */
export type DicomTime = {
  readonly date: string | undefined;
  readonly time: string | undefined;
  readonly offset: string | undefined;
};

/**
 * Returns a dateTime: with the instance's own offset, else that of the zone; the date alone when there is no time.
 * Undefined when there is no date.
 */
export function toDateTime({ date, time, offset }: DicomTime, zone: OffsetOf): string | undefined {
  const day = parseDate(date ?? '');
  const clock = parseTime(time ?? '');
  if (day === undefined || clock === undefined) return day;
  const local = `${day}T${clock}`;
  return `${local}${parseOffset(offset ?? '') ?? zone(local)}`;
}

/**
 * Returns a DT, DA or HL7 time stamp as it is read: `2024-01-15 10:15:00 +01:00`, as far as it is given. What is none
 * is returned as it is.
 */
export function readableDateTime(text: string): string {
  const match = /^(\d{4})(\d\d)?(\d\d)?(?:(\d\d)(\d\d)?(\d\d)?(\.\d{1,6})?)?([+-]\d{4})?$/.exec(text);
  if (match === null) return parseDate(text) ?? text;
  const [, year, month, day, hours, minutes, seconds, fraction, offset] = match;
  const date = [year, month, day].filter((part) => part !== undefined).join('-');
  const time = hours && `${[hours, minutes ?? '00', seconds].filter((part) => part !== undefined).join(':')}`;
  const whole = time && `${time}${fraction ?? ''}`;
  return [date, whole, offset && (parseOffset(offset) ?? offset)].filter((part) => part !== undefined).join(' ');
}
