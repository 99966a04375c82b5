export const source: string;
