package io.baton.gateway;

import static io.baton.gateway.Refusals.invalid;
import static io.baton.gateway.Refusals.require;
import static io.baton.gateway.Refusals.unserved;

import io.baton.kv.SequenceFingerprint;
import io.baton.proto.v1.FallbackPolicy;
import io.baton.proto.v1.GenerateRequest;
import io.baton.proto.v1.PrefillMode;
import io.baton.proto.v1.StopConditions;
import io.baton.serving.Fingerprints;
import io.baton.text.EncodeOptions;
import io.grpc.Status;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * A request to generate, checked and tokenized.
 *
 * @param request as it came; every field of it has been checked
 * @param prompt at least one token
 * @param emitted output the client already has
 * @param seed the client's, or one drawn for it
 * @param maxOutputTokens output at most, emitted tokens included
 * @param fingerprint that the answering nodes must have
 */
record GenerateOrder(
        GenerateRequest request,
        int[] prompt,
        int[] emitted,
        long seed,
        int maxOutputTokens,
        Optional<SequenceFingerprint> fingerprint) {

    static final int MAX_LOGPROBS = 20;
    static final int MAX_STOP_STRINGS = 16;
    static final int MAX_STOP_STRING_CHARS = 1_024;
    static final int MAX_STOP_TOKENS = 64;
    static final int MAX_SALT_CHARS = 256;
    static final int MAX_PRIORITY = 100;
    static final int MAX_CHOICES = 16;
    static final int MAX_CHOICE_NUMBER = 65_535;

    /** Throws {@link io.grpc.StatusRuntimeException} naming the field, what was found and what was expected. */
    static GenerateOrder of(GenerateRequest request, ServedModel model, LongSupplier seeds) {
        requireModel(request.getModel(), model);
        refuseWhatIsNotServed(request);
        SamplingChecks.check(request.getSampling(), model.vocabularySize());
        checkStop(request.getStop(), model);
        checkChoices(request);
        require(
                !request.hasLogprobs() || inRange(request.getLogprobs(), MAX_LOGPROBS),
                "logprobs",
                Integer.toUnsignedString(request.getLogprobs()),
                "at most " + MAX_LOGPROBS);
        require(
                request.getCacheSalt().length() <= MAX_SALT_CHARS,
                "cache_salt",
                request.getCacheSalt().length() + " characters",
                "at most " + MAX_SALT_CHARS);
        require(
                Math.abs((long) request.getPriority()) <= MAX_PRIORITY,
                "priority",
                request.getPriority(),
                "-%d to %d".formatted(MAX_PRIORITY, MAX_PRIORITY));
        require(
                request.getPrefillMode() != PrefillMode.UNRECOGNIZED,
                "prefill_mode",
                request.getPrefillModeValue(),
                "AUTO, LOCAL or REMOTE");
        require(
                request.getFallbackPolicy() != FallbackPolicy.UNRECOGNIZED,
                "fallback_policy",
                request.getFallbackPolicyValue(),
                "LOCAL_PREFILL, OTHER_PREFILL or FAIL");
        int[] emitted = tokens("emitted_token_ids", request.getEmittedTokenIdsList(), model.vocabularySize());
        int[] prompt = prompt(request, model);
        int room = room(request.getStop(), prompt.length, model.contextLength());
        require(emitted.length <= room, "emitted_token_ids", emitted.length + " tokens", "at most " + room);
        return new GenerateOrder(
                request,
                prompt,
                emitted,
                request.hasSeed() ? request.getSeed() : seeds.getAsLong(),
                room,
                fingerprint(request));
    }

    /** How many answers. */
    int choices() {
        return Math.max(1, request.getChoices());
    }

    /** An empty name means the only model there is. */
    static void requireModel(String name, ServedModel model) {
        if (!name.isEmpty() && !name.equals(model.name())) {
            throw Status.NOT_FOUND
                    .withDescription(
                            "model: found \"%s\", expected \"%s\", the only one served here (or leave it empty)"
                                    .formatted(name, model.name()))
                    .asRuntimeException();
        }
    }

    private static void refuseWhatIsNotServed(GenerateRequest request) {
        if (request.hasChat()) {
            throw unserved("chat", "render the messages yourself and send text or token_ids");
        }
        if (!request.getAdapter().isEmpty()) {
            throw unserved("adapter", "leave it empty");
        }
        if (!request.getSamplerState().isEmpty()) {
            throw unserved("sampler_state", "leave it empty");
        }
    }

    private static void checkChoices(GenerateRequest request) {
        require(
                inRange(request.getChoices(), MAX_CHOICES),
                "choices",
                Integer.toUnsignedString(request.getChoices()),
                "at most " + MAX_CHOICES);
        require(
                inRange(request.getFirstChoice(), MAX_CHOICE_NUMBER),
                "first_choice",
                Integer.toUnsignedString(request.getFirstChoice()),
                "at most " + MAX_CHOICE_NUMBER);
        require(
                request.getChoices() <= 1 || request.getEmittedTokenIdsCount() == 0,
                "emitted_token_ids",
                "%d tokens and %d choices".formatted(request.getEmittedTokenIdsCount(), request.getChoices()),
                "one choice; resume each unfinished answer by itself, with its number as first_choice");
    }

    private static void checkStop(StopConditions stop, ServedModel model) {
        require(
                stop.getStringsCount() <= MAX_STOP_STRINGS,
                "stop.strings",
                stop.getStringsCount() + " strings",
                "at most " + MAX_STOP_STRINGS);
        for (int i = 0; i < stop.getStringsCount(); i++) {
            int length = stop.getStrings(i).length();
            require(
                    length >= 1 && length <= MAX_STOP_STRING_CHARS,
                    "stop.strings[%d]".formatted(i),
                    length + " characters",
                    "1 to " + MAX_STOP_STRING_CHARS);
        }
        require(
                stop.getTokenIdsCount() <= MAX_STOP_TOKENS,
                "stop.token_ids",
                stop.getTokenIdsCount() + " tokens",
                "at most " + MAX_STOP_TOKENS);
        tokens("stop.token_ids", stop.getTokenIdsList(), model.vocabularySize());
    }

    private static int[] prompt(GenerateRequest request, ServedModel model) {
        int[] prompt = switch (request.getPromptCase()) {
            case TEXT -> model.tokenizer().encode(request.getText(), EncodeOptions.PROMPT);
            case TOKEN_IDS -> tokens("token_ids", request.getTokenIds().getIdsList(), model.vocabularySize());
            case CHAT -> throw new IllegalStateException("refused before");
            case PROMPT_NOT_SET -> throw invalid("prompt", "none", "text or token_ids");
        };
        if (prompt.length == 0) {
            throw invalid("prompt", "no tokens", "at least one; this model adds no begin-of-sequence token itself");
        }
        return prompt;
    }

    private static int room(StopConditions stop, int promptTokens, int contextLength) {
        int room = contextLength - promptTokens;
        if (room < 1) {
            throw Status.OUT_OF_RANGE
                    .withDescription(
                            "prompt: found %d tokens, expected at most %d, so that the context of %d holds one token of output; shorten the prompt"
                                    .formatted(promptTokens, contextLength - 1, contextLength))
                    .asRuntimeException();
        }
        int asked = stop.getMaxTokens();
        if (Integer.compareUnsigned(asked, room) > 0) {
            throw Status.OUT_OF_RANGE
                    .withDescription(
                            "stop.max_tokens: found %s, expected at most %d beside a prompt of %d tokens in a context of %d; leave it 0 to use what is there"
                                    .formatted(Integer.toUnsignedString(asked), room, promptTokens, contextLength))
                    .asRuntimeException();
        }
        return asked == 0 ? room : asked;
    }

    private static Optional<SequenceFingerprint> fingerprint(GenerateRequest request) {
        if (!request.hasFingerprint()) {
            return Optional.empty();
        }
        try {
            return Optional.of(Fingerprints.fromProto(request.getFingerprint()));
        } catch (IllegalArgumentException e) {
            throw Status.INVALID_ARGUMENT
                    .withDescription(e.getMessage())
                    .withCause(e)
                    .asRuntimeException();
        }
    }

    private static int[] tokens(String field, List<Integer> ids, int vocabularySize) {
        int[] tokens = new int[ids.size()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = ids.get(i);
            if (!inRange(tokens[i], vocabularySize - 1)) {
                throw invalid(
                        "%s[%d]".formatted(field, i),
                        Integer.toUnsignedString(tokens[i]),
                        "a token id below " + vocabularySize);
            }
        }
        return tokens;
    }

    /** Protobuf's uint32 comes as an int: large values are negative here. */
    private static boolean inRange(int value, int most) {
        return value >= 0 && value <= most;
    }
}
