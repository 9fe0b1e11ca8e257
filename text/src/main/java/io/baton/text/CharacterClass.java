package io.baton.text;

/** The four classes into which the word rules divide Unicode. */
enum CharacterClass {
    /** {@code \p{L}} */
    LETTER,
    /** {@code \p{N}} */
    NUMBER,
    /** {@code \s}: Unicode's White_Space */
    SPACE,
    OTHER;

    private static final CharacterClass[] ASCII = new CharacterClass[128];

    static {
        for (int i = 0; i < ASCII.length; i++) {
            ASCII[i] = classify(i);
        }
    }

    static CharacterClass of(int codePoint) {
        return codePoint < ASCII.length ? ASCII[codePoint] : classify(codePoint);
    }

    /** {@code \w}: what words are made of, marks, digits and connecting punctuation included. */
    static boolean isWord(int codePoint) {
        return Character.isAlphabetic(codePoint)
                || codePoint == 0x200C
                || codePoint == 0x200D // joiners
                || switch (Character.getType(codePoint)) {
                    case Character.NON_SPACING_MARK,
                            Character.ENCLOSING_MARK,
                            Character.COMBINING_SPACING_MARK,
                            Character.DECIMAL_DIGIT_NUMBER,
                            Character.CONNECTOR_PUNCTUATION -> true;
                    default -> false;
                };
    }

    private static CharacterClass classify(int codePoint) {
        if (Character.isLetter(codePoint)) {
            return LETTER;
        }
        return switch (Character.getType(codePoint)) {
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> NUMBER;
            case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> SPACE;
            default -> (codePoint >= '\t' && codePoint <= '\r') || codePoint == 0x85 ? SPACE : OTHER;
        };
    }
}
