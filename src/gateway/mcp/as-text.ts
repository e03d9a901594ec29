/** For messages: what should be text, and may be anything that JSON can say. `String` throws for `{"toString": 1}`. */
export const asText = (value: unknown): string => (typeof value === 'object' && value !== null ? '{…}' : String(value));
