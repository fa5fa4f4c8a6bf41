/** Syslog messages and how they are sent over TLS. @see RFC 5424 section 6, RFC 5425 section 4.3 */

/** One message. Names that syslog does not allow are written as NILVALUE. */
export type SyslogMessage = {
  /** 13: log audit. @see RFC 5424 table 1 */
  readonly facility: number;
  /** 0 emergency to 7 debug. @see RFC 5424 table 2 */
  readonly severity: number;
  /** Instant, ISO 8601. */
  readonly timestamp: string;
  readonly hostname: string;
  readonly appName: string;
  readonly procId: string;
  readonly msgId: string;
  /** Text without line breaks. */
  readonly message: string;
};

/** Longest HOSTNAME, APP-NAME, PROCID and MSGID. @see RFC 5424 section 6 */
const LONGEST = { hostname: 255, appName: 48, procId: 128, msgId: 32 } as const;

/** Writes a message, without structured data. */
export function formatSyslog(message: SyslogMessage): string {
  const { facility, severity, timestamp } = message;
  const names = (['hostname', 'appName', 'procId', 'msgId'] as const).map((name) => nameOf(message, name));
  return [`<${facility * 8 + severity}>1`, timestamp, ...names, '-', message.message].join(' ');
}

/** Frames a message by its length in octets. @see RFC 5425 section 4.3 */
export function frameSyslog(message: string): Uint8Array {
  const octets = Buffer.from(message);
  return Buffer.concat([Buffer.from(`${octets.length} `), octets]);
}

function nameOf(message: SyslogMessage, name: keyof typeof LONGEST): string {
  const text = message[name].slice(0, LONGEST[name]);
  return /^[!-~]+$/.test(text) ? text : '-';
}
