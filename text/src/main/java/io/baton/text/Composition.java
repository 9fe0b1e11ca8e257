package io.baton.text;

import java.text.Normalizer;

/** Unicode's composed form, in linear time. */
final class Composition {

    private static final char FIRST_AFFECTED = '\u0300'; // everything below is composed already

    /**
     * Composing sorts the marks of a character, which takes time by the square of their number. No text has more than
     * some few (Unicode's stream-safe format allows 30), so that longer runs are cut; they stay text, but are not
     * composed across the cut.
     */
    private static final int MOST_MARKS = 64;

    private Composition() {}

    /** {@code text} in form NFC; the text itself when nothing changes. */
    static String of(String text) {
        int first = 0;
        while (first < text.length() && text.charAt(first) < FIRST_AFFECTED) {
            first++;
        }
        if (first == text.length()) {
            return text;
        }
        StringBuilder composed = new StringBuilder(text.length());
        int start = 0;
        int marks = 0;
        for (int i = first; i < text.length(); ) {
            int character = text.codePointAt(i);
            i += Character.charCount(character);
            marks = isMark(character) ? marks + 1 : 0;
            if (marks == MOST_MARKS) {
                composed.append(Normalizer.normalize(text.substring(start, i), Normalizer.Form.NFC));
                start = i;
                marks = 0;
            }
        }
        return composed.append(Normalizer.normalize(text.substring(start), Normalizer.Form.NFC))
                .toString();
    }

    private static boolean isMark(int character) {
        return switch (Character.getType(character)) {
            case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK -> true;
            default -> false;
        };
    }
}
