package match

import "concert/internal/match/language"

// LanguageGuess is in what language a text seems to be: Language (BCP 47, base
// code, or und), Script (ISO 15924), Direction (ltr, rtl, auto) and Confidence
// (0 to 1).
type LanguageGuess = language.Guess

// Language says in what language a text is, by its first 4,000 letters. It
// never fails; a text that names no language is und. A guess decides nothing.
func Language(text string) LanguageGuess { return language.Detect(text) }
