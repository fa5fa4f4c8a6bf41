/**
 * The frame of a body may write once what stands in it several times (event-body.ts): earlier servers, which would put
 * such a body together otherwise, must not open the trail any more. What they wrote stays as it is.
 */
export const alikeEntities = 'SELECT 1';
