/** An instance knows the identity that it was first filed under, where its study was moved since. */
export const movedStudies = `
ALTER TABLE instance ADD COLUMN moved_from TEXT;
`;
