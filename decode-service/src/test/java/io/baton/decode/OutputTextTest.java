package io.baton.decode;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.testing.ByteVocabulary;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutputTextTest {

    @Test
    void aCharacterThatNeverCameOutWholeIsReplacedAtTheEnd() {
        OutputText text = text(List.of());
        assertThat(text.append(ByteVocabulary.tokens("é")[0])).isEmpty();
        assertThat(text.finish()).isEqualTo("\uFFFD");
    }

    @Test
    void aStopStringCanBeCompletedByTheEndItself() {
        OutputText text = text(List.of("a\uFFFD"));
        assertThat(text.append(ByteVocabulary.tokens("xa")[0])).isEqualTo("x");
        assertThat(text.append(ByteVocabulary.tokens("a")[0])).isEmpty();
        assertThat(text.append(ByteVocabulary.tokens("é")[0])).isEmpty();
        assertThat(text.finish()).isEmpty();
    }

    @Test
    void aRowOfThePaddedOutputMatrixHasNoText() {
        assertThat(text(List.of()).append(5_000)).isEmpty();
    }

    private static OutputText text(List<String> stops) {
        return new OutputText(NodeUnderTest.TOKENIZER, new int[] {1}, stops);
    }
}
