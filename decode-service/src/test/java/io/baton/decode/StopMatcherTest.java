package io.baton.decode;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StopMatcherTest {

    @Test
    void textThatCannotBecomeAStopStringPassesAtOnce() {
        StopMatcher matcher = new StopMatcher(List.of("END"));
        assertThat(matcher.append("hello")).isEqualTo("hello");
        assertThat(matcher.stopped()).isFalse();
    }

    @Test
    void aPrefixOfAStopStringIsHeldBackUntilItCannotMatch() {
        StopMatcher matcher = new StopMatcher(List.of("END"));
        assertThat(matcher.append("the E")).isEqualTo("the ");
        assertThat(matcher.append("N")).isEmpty();
        assertThat(matcher.append("EMY")).isEqualTo("ENEMY");
    }

    @Test
    void aStopStringIsFoundAcrossPiecesAndIsNotPartOfTheText() {
        StopMatcher matcher = new StopMatcher(List.of("\n\nUser:"));
        assertThat(matcher.append("fine.\n")).isEqualTo("fine.");
        assertThat(matcher.append("\nUs")).isEmpty();
        assertThat(matcher.append("er: and more")).isEmpty();
        assertThat(matcher.stopped()).isTrue();
        assertThat(matcher.finish()).isEmpty();
    }

    @Test
    void textBeforeAMatchInTheSamePieceIsShown() {
        StopMatcher matcher = new StopMatcher(List.of("stop"));
        assertThat(matcher.append("go on, stop here")).isEqualTo("go on, ");
        assertThat(matcher.stopped()).isTrue();
    }

    @Test
    void whatWasHeldBackIsShownWhenTheSequenceEnds() {
        StopMatcher matcher = new StopMatcher(List.of("aab"));
        assertThat(matcher.append("xaaa")).isEqualTo("xa");
        assertThat(matcher.finish()).isEqualTo("aa");
    }

    @Test
    void aSelfOverlappingStopStringIsFound() {
        StopMatcher matcher = new StopMatcher(List.of("abab!"));
        assertThat(matcher.append("ababab")).isEqualTo("ab");
        assertThat(matcher.append("!")).isEmpty();
        assertThat(matcher.stopped()).isTrue();
    }

    @Test
    void theStringThatIsCompletedFirstWinsAndOfTwoTheLonger() {
        StopMatcher first = new StopMatcher(List.of("abcd", "bc"));
        assertThat(first.append("abcd")).isEqualTo("a");
        StopMatcher longer = new StopMatcher(List.of("bc", "abc"));
        assertThat(longer.append("xabc")).isEqualTo("x");
    }

    @Test
    void anyCutIntoPiecesGivesTheSameTextAsAPlainSearch() {
        Random random = new Random(7);
        for (int round = 0; round < 2_000; round++) {
            String text = word(random, 1 + random.nextInt(30));
            List<String> strings = IntStream.range(0, 1 + random.nextInt(3))
                    .mapToObj(i -> word(random, 1 + random.nextInt(4)))
                    .toList();
            StopMatcher matcher = new StopMatcher(strings);
            StringBuilder shown = new StringBuilder();
            int from = 0;
            while (from < text.length() && !matcher.stopped()) {
                int to = Math.min(text.length(), from + 1 + random.nextInt(5));
                shown.append(matcher.append(text.substring(from, to)));
                from = to;
            }
            shown.append(matcher.finish());
            assertThat(shown.toString()).as("%s in %s", strings, text).isEqualTo(untilFirstStop(text, strings));
        }
    }

    private static String word(Random random, int length) {
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < length; i++) {
            word.append((char) ('a' + random.nextInt(3)));
        }
        return word.toString();
    }

    private static String untilFirstStop(String text, List<String> strings) {
        for (int end = 1; end <= text.length(); end++) {
            String head = text.substring(0, end);
            int longest = strings.stream()
                    .filter(head::endsWith)
                    .mapToInt(String::length)
                    .max()
                    .orElse(0);
            if (longest > 0) {
                return text.substring(0, end - longest);
            }
        }
        return text;
    }
}
