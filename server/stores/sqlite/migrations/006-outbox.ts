/** Positions of the outbox never come twice: the trail remembers the last that it has, by this alone. */
export const outboxPositions = `
CREATE TABLE outbox (position INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL);
INSERT INTO outbox SELECT position, record FROM audit_outbox;
DROP TABLE audit_outbox;
ALTER TABLE outbox RENAME TO audit_outbox;
`;
