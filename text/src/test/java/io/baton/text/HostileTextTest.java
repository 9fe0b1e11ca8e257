package io.baton.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.model.files.VocabularyFile.Merge;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No text takes more than about linear time: one megabyte of the worst stays below a second. */
class HostileTextTest {

    private static final int MEGABYTE = 1 << 20;
    private static final Duration BOUND = Duration.ofSeconds(1);
    private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean(); // a busy machine is no failure
    private static final EncodeOptions SPECIAL = new EncodeOptions(true, true);

    private static final int GROWN = 8;

    private static final List<String> UNITS = List.of(
            "a",
            " ",
            "!?.,;:-)(\"'*",
            "가나다라마바사아자차카타파하",
            "العربيةكلمة",
            "\u0301\u0323",
            "1",
            "=",
            "'",
            "🙂",
            "<|im_start|",
            "A",
            "\n",
            "\r",
            "ab",
            "\u00A0",
            "é",
            "中",
            "\uD800",
            "\u0301",
            "<|",
            "<s",
            "<0x0A>",
            " a",
            "'s",
            " \n",
            "\u2581",
            "\u0000",
            "xy z");

    @ParameterizedTest
    @ValueSource(strings = {"llama-spm", "gpt-2", "qwen2"})
    void aMegabyteOfOneLetterTakesLessThanASecond(String name) {
        assertLinear(
                PublishedFiles.tokenizer("tokenizers/ggml-vocab-" + name + ".gguf"), MEGABYTE, UNITS.subList(0, 8));
    }

    /**
     * Work grows with the text, not with its square: eight times the text may take four times eight times as long,
     * where a quadratic step would take sixty-four. Words without a space are the hardest.
     */
    @ParameterizedTest
    @ValueSource(strings = {"llama-spm", "gpt-2", "qwen2"})
    void eightTimesTheTextTakesAboutEightTimesAsLong(String name) {
        Tokenizer tokenizer = PublishedFiles.tokenizer("tokenizers/ggml-vocab-" + name + ".gguf");
        Random random = new Random(17);
        String letters = random.ints(MEGABYTE / 8, 'a', 'z' + 1)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        String hangul = random.ints(MEGABYTE / 16, 0xAC00, 0xD7A4)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        for (String text : List.of("a".repeat(MEGABYTE / 8), " ".repeat(MEGABYTE / 8), letters, hangul)) {
            tokenizer.encode(text, SPECIAL);
            long small = nanos(tokenizer, text.substring(0, text.length() / GROWN));
            long whole = nanos(tokenizer, text);
            assertThat((double) whole / small)
                    .as("%s, beginning with \"%s\"", name, text.substring(0, 4))
                    .isLessThan(4 * GROWN);
        }
    }

    /** Processor time, the least of three. */
    private static long nanos(Tokenizer tokenizer, String text) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            long start = CLOCK.getCurrentThreadCpuTime();
            tokenizer.encode(text, SPECIAL);
            least = Math.min(least, CLOCK.getCurrentThreadCpuTime() - start);
        }
        return Math.max(1, least);
    }

    @Test
    void smallVocabulariesAreNoEasierToAttack() {
        List<Merge> doubling = new ArrayList<>();
        List<String> words = new ArrayList<>(List.of("a", "b"));
        for (int length = 1; length < 1 << 12; length *= 2) {
            doubling.add(new Merge("a".repeat(length), "a".repeat(length)));
            words.add("a".repeat(2 * length));
        }
        assertLinear(Tokenizer.of(TestingVocabularies.sentencePiece(words)), MEGABYTE / 16, UNITS);
        assertLinear(Tokenizer.of(TestingVocabularies.byteLevel("gpt-2", doubling)), MEGABYTE / 16, UNITS);
        assertLinear(Tokenizer.of(TestingVocabularies.byteLevel("smollm", doubling)), MEGABYTE / 16, UNITS);
        assertLinear(Tokenizer.of(TestingVocabularies.byteLevel("llama-bpe", doubling)), MEGABYTE / 16, UNITS);
    }

    private static void assertLinear(Tokenizer tokenizer, int chars, List<String> units) {
        tokenizer.encode("a ".repeat(1 << 16), SPECIAL); // compiled code, as a server has it
        for (String unit : units) {
            String text = unit.repeat(chars / unit.length());
            long start = CLOCK.getCurrentThreadCpuTime();
            int[] tokens = tokenizer.encode(text, SPECIAL);
            assertThat(Duration.ofNanos(CLOCK.getCurrentThreadCpuTime() - start))
                    .as(unit)
                    .isLessThan(BOUND.multipliedBy(chars).dividedBy(MEGABYTE));
            assertThat(tokens).isNotEmpty();
        }
    }
}
