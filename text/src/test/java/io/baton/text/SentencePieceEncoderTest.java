package io.baton.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SentencePieceEncoderTest {

    @Test
    void theHighestScoreMergesFirstAndTheLeftmostOfEqualOnes() {
        assertThat(texts(List.of("ab", "bc", "a", "b", "c", "▁"), "abc")).containsExactly("▁", "ab", "c");
        assertThat(texts(List.of("bc", "ab", "a", "b", "c", "▁"), "abc")).containsExactly("▁", "a", "bc");
        assertThat(texts(List.of("aa", "a", "▁"), "aaa")).containsExactly("▁", "aa", "a");
    }

    @Test
    void aTokenMayReachOverTheStartOfAWord() {
        assertThat(texts(List.of("a▁", "a▁b", "▁b", "a", "b", "▁"), "a b b")).containsExactly("▁", "a▁b", "▁b");
        assertThat(texts(List.of("a▁", "▁b", "a", "b", "▁"), "a b")).containsExactly("▁", "a▁", "b");
    }

    @Test
    void runsOfSpacesStayTogether() {
        assertThat(texts(List.of("▁▁", "▁▁▁", "▁a", "a", "▁"), "a   a")).containsExactly("▁a", "▁▁▁", "a");
    }

    @Test
    void aCharacterThatIsNoTokenBecomesItsBytesAndCanStillBePartOfOne() {
        assertThat(texts(List.of("é!", "!", "▁"), "é é!")).containsExactly("▁", "<0xC3>", "<0xA9>", "▁", "é!");
    }

    private static List<String> texts(List<String> words, String text) {
        Tokenizer tokenizer = Tokenizer.of(TestingVocabularies.sentencePiece(words));
        return Arrays.stream(tokenizer.encode(text, EncodeOptions.PLAIN))
                .mapToObj(tokenizer::text)
                .toList();
    }
}
