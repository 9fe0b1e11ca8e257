package io.baton.decode;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class OutputTextTest {

    @Test
    void aCharacterThatNeverCameOutWholeIsReplacedAtTheEnd() {
        OutputText text = text(List.of());
        assertThat(text.append(TestingTokenizer.tokens("é")[0])).isEmpty();
        assertThat(text.finish()).isEqualTo("\uFFFD");
    }

    @Test
    void aStopStringCanBeCompletedByTheEndItself() {
        OutputText text = text(List.of("a\uFFFD"));
        assertThat(text.append(TestingTokenizer.tokens("xa")[0])).isEqualTo("x");
        assertThat(text.append(TestingTokenizer.tokens("a")[0])).isEmpty();
        assertThat(text.append(TestingTokenizer.tokens("é")[0])).isEmpty();
        assertThat(text.finish()).isEmpty();
    }

    @Test
    void aRowOfThePaddedOutputMatrixHasNoText() {
        assertThat(text(List.of()).append(5_000)).isEmpty();
    }

    private static OutputText text(List<String> stops) {
        return new OutputText(TestingTokenizer.create(), new int[] {1}, stops);
    }
}
