package io.baton.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WordRuleTest {

    private static final String GPT2 =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    private static final String LLAMA3 = "(?iu:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private static final String[] PIECES = {
        " ", "  ", "\n", "\r\n", "\t", "\u00A0", "\u3000", "\u2028", "\u0085", "\u200B", "a", "Ab", "é", "ß", "中", "ا",
        "𝒜", "\u0301", "1", "23", "٣", "½", "Ⅷ", "𝟘", "'", "'s", "'S", "'\u017F", "'re", "'LL", "'v", "!", "...", "_",
        "🙂", "\u0000", "\uFFFD"
    };

    private final Random random = new Random(11);

    @ParameterizedTest
    @EnumSource(WordRule.class)
    void everyRuleCutsAsItsRegularExpressionDoes(WordRule rule) {
        for (int round = 0; round < 5000; round++) {
            StringBuilder text = new StringBuilder();
            int pieces = 1 + random.nextInt(12);
            for (int i = 0; i < pieces; i++) {
                text.append(PIECES[random.nextInt(PIECES.length)]);
            }
            assertThat(words(rule, text.toString())).isEqualTo(expected(rule, text.toString()));
        }
    }

    @Test
    void anUnknownPreTokenizerIsRefusedByName() {
        assertThatThrownBy(() -> WordRule.named("klingon"))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("klingon")
                .hasMessageContaining("qwen2");
    }

    private static List<String> words(WordRule rule, String text) {
        List<String> words = new ArrayList<>();
        for (int start = 0; start < text.length(); ) {
            int end = rule.wordEnd(text, start);
            words.add(text.substring(start, end));
            start = end;
        }
        return words;
    }

    private static List<String> expected(WordRule rule, String text) {
        return switch (rule) {
            case GPT2 -> matches(GPT2, text);
            case LLAMA3 -> matches(LLAMA3, text);
            case QWEN2 -> matches(LLAMA3.replace("{1,3}", ""), text);
            case GPT2_SINGLE_DIGITS ->
                matches("\\p{N}|[^\\p{N}]+", text).stream()
                        .flatMap(part -> matches(GPT2, part).stream())
                        .toList();
        };
    }

    private static List<String> matches(String expression, String text) {
        Matcher matcher =
                Pattern.compile(expression, Pattern.UNICODE_CHARACTER_CLASS).matcher(text);
        return matcher.results().map(found -> found.group()).toList();
    }
}
