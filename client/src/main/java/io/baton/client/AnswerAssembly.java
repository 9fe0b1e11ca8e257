package io.baton.client;

import io.baton.proto.v1.ChoiceFinish;
import io.baton.proto.v1.Finished;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Puts a stream's events together and holds the stream to its promises: Started first, consecutive indices, one
 * Finished and nothing after it. Each method says what is wrong with the event, or nothing. Used by one thread at a
 * time.
 */
final class AnswerAssembly {

    private final int emittedTokens;
    private final List<StringBuilder> texts = new ArrayList<>();
    private final List<List<Integer>> tokenIds = new ArrayList<>();
    private @Nullable Started started;
    private @Nullable GenerationResult result;

    AnswerAssembly(int choices, int emittedTokens) {
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
        if (token.choice() < 0 || token.choice() >= tokenIds.size()) {
            return Optional.of("found a token of choice %d of %d".formatted(token.choice(), tokenIds.size()));
        }
        List<Integer> ids = tokenIds.get(token.choice());
        if (token.index() != emittedTokens + ids.size()) {
            return Optional.of("expected token %d, found %d".formatted(emittedTokens + ids.size(), token.index()));
        }
        ids.add(token.tokenId());
        texts.get(token.choice()).append(token.text());
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
            if (choice < 0 || choice >= tokenIds.size()) {
                return Optional.of("found the end of choice %d of %d".formatted(choice, tokenIds.size()));
            }
            String text = texts.get(choice).append(finish.getText()).toString();
            choices.add(new GenerationResult.Choice(
                    choice, Messages.reason(finish.getReason()), text, finish.getText(), tokenIds.get(choice)));
        }
        result = new GenerationResult(
                started,
                choices,
                Messages.usage(finished),
                Messages.route(finished.getRoute()),
                Messages.ttft(finished.getTtft()));
        return Optional.empty();
    }

    Optional<GenerationResult> result() {
        return Optional.ofNullable(result);
    }
}
