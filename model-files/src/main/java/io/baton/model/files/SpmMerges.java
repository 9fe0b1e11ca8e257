package io.baton.model.files;

import java.util.function.Predicate;

/** Which SentencePiece tokens merging can make; control, unknown, unused and byte tokens never take part. */
final class SpmMerges {

    private SpmMerges() {}

    static boolean takesPart(TokenKind kind) {
        return kind == TokenKind.NORMAL || kind == TokenKind.USER_DEFINED;
    }

    /** In how many ways {@code text} splits into two parts that are tokens or single characters. */
    static int splits(String text, Predicate<String> isToken) {
        int splits = 0;
        int cut = text.isEmpty() ? 0 : text.offsetByCodePoints(0, 1);
        for (; cut < text.length(); cut = text.offsetByCodePoints(cut, 1)) {
            if (isPart(text.substring(0, cut), isToken) && isPart(text.substring(cut), isToken)) {
                splits++;
            }
        }
        return splits;
    }

    private static boolean isPart(String text, Predicate<String> isToken) {
        return text.codePointCount(0, text.length()) == 1 || isToken.test(text);
    }
}
