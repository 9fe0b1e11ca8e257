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
 */
public record TextRules(boolean compose, boolean prefixOnce, Set<Integer> absorbsBefore, Set<Integer> absorbsAfter) {

    /** Text as it is. */
    public static final TextRules PLAIN = new TextRules(false, false, Set.of(), Set.of());

    public TextRules {
        absorbsBefore = Set.copyOf(absorbsBefore);
        absorbsAfter = Set.copyOf(absorbsAfter);
    }
}
