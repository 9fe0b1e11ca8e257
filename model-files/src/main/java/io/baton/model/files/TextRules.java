package io.baton.model.files;

import java.util.Set;

/**
 * What happens to a text around and before splitting it into tokens, where models differ.
 *
 * @param compose brings the text to Unicode's composed form (NFC) first
 * @param prefixOnce puts the space prefix only before a text that starts the sequence and does not start with a space;
 *     otherwise before every text that starts the sequence or follows a special token
 * @param absorbsBefore special tokens that swallow the white space before them
 * @param absorbsAfter special tokens that swallow the white space after them
 * @param wholeWords special tokens that are found only where no word character stands beside them
 * @param foundNormalized special tokens whose normalized text is looked for in the normalized text between the others;
 *     the others' own text is looked for first, in the text as it came, before anything is composed or prefixed
 */
public record TextRules(
        boolean compose,
        boolean prefixOnce,
        Set<Integer> absorbsBefore,
        Set<Integer> absorbsAfter,
        Set<Integer> wholeWords,
        Set<Integer> foundNormalized) {

    /** Text as it is. */
    public static final TextRules PLAIN = new TextRules(false, false, Set.of(), Set.of());

    public TextRules {
        absorbsBefore = Set.copyOf(absorbsBefore);
        absorbsAfter = Set.copyOf(absorbsAfter);
        wholeWords = Set.copyOf(wholeWords);
        foundNormalized = Set.copyOf(foundNormalized);
    }

    /** With special tokens that are found anywhere in the text as it came. */
    public TextRules(boolean compose, boolean prefixOnce, Set<Integer> absorbsBefore, Set<Integer> absorbsAfter) {
        this(compose, prefixOnce, absorbsBefore, absorbsAfter, Set.of(), Set.of());
    }
}
