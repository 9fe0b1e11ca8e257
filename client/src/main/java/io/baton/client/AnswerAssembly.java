package io.baton.client;

import io.baton.proto.v1.ChoiceFinish;
import io.baton.proto.v1.Finished;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Puts a stream's events together and holds the stream to its promises: Started first, consecutive indices, one
 * Finished and nothing after it. Each method says what is wrong with the event, or nothing. Used by one thread at a
 * time.
 */
final class AnswerAssembly {

    private final int firstChoice;
    private final int emittedTokens;
    private final List<StringBuilder> texts = new ArrayList<>();
    private final List<List<Integer>> tokenIds = new ArrayList<>();
    private @Nullable Started started;
    private @Nullable GenerationResult result;

    AnswerAssembly(int firstChoice, int choices, int emittedTokens) {
        this.firstChoice = firstChoice;
        this.emittedTokens = emittedTokens;
        for (int choice = 0; choice < choices; choice++) {
            texts.add(new StringBuilder());
            tokenIds.add(new ArrayList<>());
        }
    }

    Optional<String> start(Started started) {
        if (this.started != null) {
            return Optional.of("the stream started twice");
        }
        this.started = started;
        return Optional.empty();
    }

    Optional<String> add(GeneratedToken token) {
        if (started == null || result != null) {
            return Optional.of("found a token %s".formatted(started == null ? "before the start" : "after the end"));
        }
        if (!asked(token.choice())) {
            return Optional.of("found a token of choice %d, %s".formatted(token.choice(), expected()));
        }
        List<Integer> ids = tokenIds.get(token.choice() - firstChoice);
        if (token.index() != emittedTokens + ids.size()) {
            return Optional.of("expected token %d, found %d".formatted(emittedTokens + ids.size(), token.index()));
        }
        ids.add(token.tokenId());
        texts.get(token.choice() - firstChoice).append(token.text());
        return Optional.empty();
    }

    Optional<String> finish(Finished finished) {
        if (started == null || result != null) {
            return Optional.of("found an end %s".formatted(started == null ? "before the start" : "after the end"));
        }
        if (finished.getChoicesCount() != tokenIds.size()) {
            return Optional.of(
                    "expected the ends of %d choices, found %d".formatted(tokenIds.size(), finished.getChoicesCount()));
        }
        List<GenerationResult.Choice> choices = new ArrayList<>();
        for (ChoiceFinish finish : finished.getChoicesList()) {
            int choice = finish.getChoice();
            if (!asked(choice) || choices.stream().anyMatch(each -> each.choice() == choice)) {
                return Optional.of("found the end of choice %d, %s, each once".formatted(choice, expected()));
            }
            String text =
                    texts.get(choice - firstChoice).append(finish.getText()).toString();
            choices.add(new GenerationResult.Choice(
                    choice,
                    Messages.reason(finish.getReason()),
                    text,
                    finish.getText(),
                    tokenIds.get(choice - firstChoice)));
        }
        choices.sort(Comparator.comparingInt(GenerationResult.Choice::choice));
        result = new GenerationResult(
                started,
                choices,
                Messages.usage(finished),
                Messages.route(finished.getRoute()),
                Messages.ttft(finished.getTtft()));
        return Optional.empty();
    }

    private boolean asked(int choice) {
        return choice >= firstChoice && choice < firstChoice + tokenIds.size();
    }

    private String expected() {
        return "expected %d to %d".formatted(firstChoice, firstChoice + tokenIds.size() - 1);
    }

    Optional<GenerationResult> result() {
        return Optional.ofNullable(result);
    }
}
