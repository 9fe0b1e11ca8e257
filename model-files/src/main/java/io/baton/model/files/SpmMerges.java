package io.baton.model.files;

import java.util.function.Predicate;

/** Which SentencePiece tokens merging can make; control, unknown and byte tokens are not text and never take part. */
final class SpmMerges {

    private SpmMerges() {}

    static boolean takesPart(TokenKind kind) {
        return kind == TokenKind.NORMAL || kind == TokenKind.USER_DEFINED || kind == TokenKind.UNUSED;
    }

    /** Whether {@code text} splits into two parts that are tokens or single characters. */
    static boolean canBeMerged(String text, Predicate<String> isToken) {
        if (text.isEmpty()) {
            return false;
        }
        for (int cut = text.offsetByCodePoints(0, 1); cut < text.length(); cut = text.offsetByCodePoints(cut, 1)) {
            if (isPart(text.substring(0, cut), isToken) && isPart(text.substring(cut), isToken)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isPart(String text, Predicate<String> isToken) {
        return text.codePointCount(0, text.length()) == 1 || isToken.test(text);
    }
}
