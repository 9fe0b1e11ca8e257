package io.baton.text;

/** Texts from outside may hold halves of surrogate pairs, which no encoding of bytes can carry. */
final class Surrogates {

    private Surrogates() {}

    /** The text with each lone surrogate replaced by U+FFFD; the text itself when there is none. */
    static String repaired(String text) {
        StringBuilder repaired = null;
        for (int i = 0; i < text.length(); i++) {
            char character = text.charAt(i);
            if (!Character.isSurrogate(character)) {
                continue;
            }
            boolean pair = Character.isHighSurrogate(character)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1));
            if (pair) {
                i++;
            } else {
                repaired = repaired == null ? new StringBuilder(text) : repaired;
                repaired.setCharAt(i, '\uFFFD');
            }
        }
        return repaired == null ? text : repaired.toString();
    }
}
