package io.baton.decode;

import io.baton.engine.sample.SamplingParameters;
import io.baton.proto.v1.CallContext;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.FallbackPolicy;
import io.baton.proto.v1.KnownOutput;
import io.baton.proto.v1.PrefillCandidate;
import io.baton.proto.v1.PrefillMode;
import io.baton.proto.v1.Sampling;
import io.baton.proto.v1.StopConditions;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A decode request, checked: what the gateway asks for, in this node's terms.
 *
 * @param requestId names the request in leases, logs and errors
 * @param choices the answers to generate, at least one, each with what is known of it
 * @param maxTokens output tokens of each choice at most, known ones included
 * @param stopTokens ids that end the sequence, the model's end-of-sequence tokens among them unless told otherwise
 * @param logprobs -1 for none, else how many most likely tokens beside the sampled one
 * @param candidates prefill nodes, best first
 */
record DecodeOrder(
        String requestId,
        CallContext context,
        int[] prompt,
        List<Known> choices,
        SamplingParameters sampling,
        long seed,
        int maxTokens,
        Set<Integer> stopTokens,
        List<String> stopStrings,
        int logprobs,
        PrefillMode mode,
        FallbackPolicy policy,
        List<PrefillCandidate> candidates) {

    static final int MAX_LOGPROBS = 20;
    static final int MAX_STOP_STRINGS = 16;
    static final int MAX_STOP_TOKENS = 64;
    static final int MAX_STOP_STRING_CHARS = 1024;
    static final int MAX_CHOICES = 16;
    static final int MAX_CHOICE_NUMBER = 65_535;
    private static final int SALT_BYTES = 32;
    private static final int[] NONE = {};

    /**
     * A choice and what is known of its output.
     *
     * @param choice its number
     * @param emitted output the client already has
     * @param withheld output the gateway got after {@code emitted} and did not pass on; what it says is said again
     */
    record Known(int choice, int[] emitted, int[] withheld) {

        /** All output known before this node generates anything. */
        int[] tokens() {
            return joined(emitted, withheld);
        }
    }

    /**
     * Reads what this version serves; everything else is refused by name.
     *
     * @throws io.grpc.StatusRuntimeException {@code INVALID_ARGUMENT}, {@code OUT_OF_RANGE} or {@code UNIMPLEMENTED},
     *     naming the field
     */
    static DecodeOrder of(DecodeRequest request, int vocabularySize, int contextLength, Set<Integer> endOfSequence) {
        refuseWhatIsNotServed(request);
        CallContext context = request.getContext();
        require(!context.getRequestId().isEmpty(), "context.request_id is empty; the gateway names every request");
        int salt = context.getEffectiveSalt().size();
        require(salt == 0 || salt == SALT_BYTES, "context.effective_salt must be empty or 32 bytes, found " + salt);
        int[] prompt = tokens("prompt_token_ids", request.getPromptTokenIdsList(), vocabularySize);
        require(prompt.length > 0, "prompt_token_ids is empty; give at least one token");
        int room = contextLength - prompt.length;
        if (room < 1) {
            throw Status.OUT_OF_RANGE
                    .withDescription("the prompt has %d tokens and the context %d; no room for output is left"
                            .formatted(prompt.length, contextLength))
                    .asRuntimeException();
        }
        int asked = request.getStop().getMaxTokens();
        int maxTokens = asked > 0 ? Math.min(asked, room) : room;
        List<Known> choices = choices(request, vocabularySize);
        for (Known known : choices) {
            int tokens = known.emitted().length + known.withheld().length;
            require(
                    tokens <= maxTokens,
                    "emitted_token_ids and withheld_token_ids are %d tokens; there may be at most %d of output"
                            .formatted(tokens, maxTokens));
        }
        return new DecodeOrder(
                context.getRequestId(),
                context,
                prompt,
                choices,
                sampling(request.getSampling(), vocabularySize),
                request.getSeed(),
                maxTokens,
                stopTokens(request.getStop(), endOfSequence),
                stopStrings(request.getStop()),
                logprobs(request),
                request.getPrefillMode(),
                policy(context),
                request.getPrefillNodesList());
    }

    /** The same for these of the choices alone. */
    DecodeOrder of(List<Known> some) {
        return new DecodeOrder(
                requestId,
                context,
                prompt,
                some,
                sampling,
                seed,
                maxTokens,
                stopTokens,
                stopStrings,
                logprobs,
                mode,
                policy,
                candidates);
    }

    /** What is prefilled: the prompt and, if there is one choice, its known output as one sequence. */
    int[] sequence() {
        return choices.size() == 1 ? joined(prompt, choices.getFirst().tokens()) : prompt;
    }

    private static List<Known> choices(DecodeRequest request, int vocabularySize) {
        int count = request.getChoices() == 0 ? 1 : request.getChoices();
        int first = request.getFirstChoice();
        require(
                count >= 1 && count <= MAX_CHOICES,
                "choices must be at most %d, found %s".formatted(MAX_CHOICES, Integer.toUnsignedString(count)));
        require(
                first >= 0 && first <= MAX_CHOICE_NUMBER,
                "first_choice must be at most %d, found %s"
                        .formatted(MAX_CHOICE_NUMBER, Integer.toUnsignedString(first)));
        int[] emitted = tokens("emitted_token_ids", request.getEmittedTokenIdsList(), vocabularySize);
        int[] withheld = tokens("withheld_token_ids", request.getWithheldTokenIdsList(), vocabularySize);
        if (count == 1 && request.getKnownOutputsCount() == 0) {
            return List.of(new Known(first, emitted, withheld));
        }
        require(
                emitted.length + withheld.length == 0,
                "emitted_token_ids and withheld_token_ids are of one choice; with known_outputs or %d choices leave them out"
                        .formatted(count));
        if (request.getKnownOutputsCount() == 0) {
            return IntStream.range(first, first + count)
                    .mapToObj(choice -> new Known(choice, NONE, NONE))
                    .toList();
        }
        List<Known> known = new ArrayList<>();
        for (KnownOutput output : request.getKnownOutputsList()) {
            int choice = output.getChoice();
            require(
                    choice >= first && choice < first + count,
                    "known_outputs names choice %s; expected %d to %d"
                            .formatted(Integer.toUnsignedString(choice), first, first + count - 1));
            require(
                    known.stream().noneMatch(each -> each.choice() == choice),
                    "known_outputs names choice %d twice".formatted(choice));
            known.add(new Known(
                    choice,
                    tokens("known_outputs.emitted_token_ids", output.getEmittedTokenIdsList(), vocabularySize),
                    tokens("known_outputs.withheld_token_ids", output.getWithheldTokenIdsList(), vocabularySize)));
        }
        return List.copyOf(known);
    }

    private static void refuseWhatIsNotServed(DecodeRequest request) {
        unserved(!request.getAdapter().isEmpty(), "adapter");
        unserved(!request.getSamplerState().isEmpty(), "sampler_state");
        require(request.getPrefillMode() != PrefillMode.UNRECOGNIZED, "prefill_mode is unknown");
    }

    private static SamplingParameters sampling(Sampling sampling, int vocabularySize) {
        require(sampling.getTopK() >= 0, "sampling.top_k is out of range");
        SamplingParameters parameters;
        try {
            parameters = new SamplingParameters(
                    sampling.getTemperature(),
                    sampling.getTopK(),
                    sampling.hasTopP() ? sampling.getTopP() : 1,
                    sampling.getMinP(),
                    sampling.hasTypicalP() ? sampling.getTypicalP() : 1,
                    sampling.hasRepetitionPenalty() ? sampling.getRepetitionPenalty() : 1,
                    sampling.getPresencePenalty(),
                    sampling.getFrequencyPenalty(),
                    sampling.getLogitBiasMap());
        } catch (IllegalArgumentException e) {
            throw Status.INVALID_ARGUMENT
                    .withDescription("sampling: " + e.getMessage())
                    .withCause(e)
                    .asRuntimeException();
        }
        require(
                parameters.highestTokenId() < vocabularySize,
                "sampling.logit_bias names token %d; the vocabulary has %d tokens"
                        .formatted(parameters.highestTokenId(), vocabularySize));
        return parameters;
    }

    private static Set<Integer> stopTokens(StopConditions stop, Set<Integer> endOfSequence) {
        require(
                stop.getTokenIdsCount() <= MAX_STOP_TOKENS,
                "stop.token_ids: at most %d, found %d".formatted(MAX_STOP_TOKENS, stop.getTokenIdsCount()));
        Set<Integer> tokens = new HashSet<>(stop.getTokenIdsList());
        if (!stop.getIgnoreEos()) {
            tokens.addAll(endOfSequence);
        }
        return tokens;
    }

    private static List<String> stopStrings(StopConditions stop) {
        List<String> strings = stop.getStringsList();
        require(
                strings.size() <= MAX_STOP_STRINGS,
                "stop.strings: at most %d, found %d".formatted(MAX_STOP_STRINGS, strings.size()));
        for (String string : strings) {
            require(
                    !string.isEmpty() && string.length() <= MAX_STOP_STRING_CHARS,
                    "stop.strings: each must have 1 to %d characters, found %d"
                            .formatted(MAX_STOP_STRING_CHARS, string.length()));
        }
        return List.copyOf(strings);
    }

    private static int logprobs(DecodeRequest request) {
        if (!request.hasLogprobs()) {
            return -1;
        }
        int count = request.getLogprobs();
        require(count >= 0 && count <= MAX_LOGPROBS, "logprobs must be at most %d".formatted(MAX_LOGPROBS));
        return count;
    }

    private static FallbackPolicy policy(CallContext context) {
        return switch (context.getFallbackPolicy()) {
            case FALLBACK_POLICY_UNSPECIFIED, FALLBACK_POLICY_LOCAL_PREFILL ->
                FallbackPolicy.FALLBACK_POLICY_LOCAL_PREFILL;
            case FALLBACK_POLICY_OTHER_PREFILL -> FallbackPolicy.FALLBACK_POLICY_OTHER_PREFILL;
            case FALLBACK_POLICY_FAIL -> FallbackPolicy.FALLBACK_POLICY_FAIL;
            case UNRECOGNIZED ->
                throw Status.INVALID_ARGUMENT
                        .withDescription("context.fallback_policy is unknown: " + context.getFallbackPolicyValue())
                        .asRuntimeException();
        };
    }

    private static int[] tokens(String field, List<Integer> ids, int vocabularySize) {
        int[] tokens = new int[ids.size()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = ids.get(i);
            if (tokens[i] < 0 || tokens[i] >= vocabularySize) {
                throw Status.INVALID_ARGUMENT
                        .withDescription("%s[%d] is %s; the vocabulary has %d tokens"
                                .formatted(field, i, Integer.toUnsignedString(tokens[i]), vocabularySize))
                        .asRuntimeException();
            }
        }
        return tokens;
    }

    private static int[] joined(int[] head, int[] tail) {
        int[] all = new int[head.length + tail.length];
        System.arraycopy(head, 0, all, 0, head.length);
        System.arraycopy(tail, 0, all, head.length, tail.length);
        return all;
    }

    private static void unserved(boolean present, String field) {
        if (present) {
            throw Status.UNIMPLEMENTED
                    .withDescription(field + " is not served by this version; leave it out")
                    .asRuntimeException();
        }
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw Status.INVALID_ARGUMENT.withDescription(message).asRuntimeException();
        }
    }
}
