/**
 * An instance knows the identity that it was first filed under, where its study was moved since. Who sent it again
 * (`FurtherSource`, as JSON) is to have an identity: of what stands none is known.
 */
export const movedStudies = `
ALTER TABLE instance ADD COLUMN moved_from TEXT;
UPDATE instance SET further_sources = (
  SELECT json_group_array(json_object('source', value)) FROM json_each(further_sources)
) WHERE further_sources IS NOT NULL;
`;
