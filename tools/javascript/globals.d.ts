// What book/_assets/words.js says to the scripts behind it.
declare var say: (key: string, values?: Record<string, string | number>) => string;
// What Sphinx puts beside book/_assets/search.js.
declare class Stemmer {
  stemWord(word: string): string;
}
declare const stopwords: string[];
