/** By which right a row is shown is read from the index alone: it is asked for each row that is sent. */
export const aclIndex = `
DROP INDEX acl_row;
CREATE INDEX acl_row ON acl (rid, principal, valid_from, valid_to, relation, source);
`;
