/** Who bars somebody is found by whom, and a bar that begins or ends moves the number of 005. */
export const blocks = `
CREATE INDEX access_right_block ON access_right (principal) WHERE relation = 'block';
${['INSERT', 'UPDATE', 'DELETE']
  .map(
    (event) => `CREATE TRIGGER access_version_block_${event.toLowerCase()} AFTER ${event} ON access_right
  WHEN ${event === 'INSERT' ? 'new' : 'old'}.relation = 'block'
BEGIN UPDATE access_version SET version = version + 1; END;`,
  )
  .join('\n')}
`;
