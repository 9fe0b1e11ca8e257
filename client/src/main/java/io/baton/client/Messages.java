package io.baton.client;

import io.baton.proto.v1.ChatMessage;
import io.baton.proto.v1.ChatMessages;
import io.baton.proto.v1.FallbackPolicy;
import io.baton.proto.v1.Finished;
import io.baton.proto.v1.GenerateRequest;
import io.baton.proto.v1.GetModelResponse;
import io.baton.proto.v1.Route;
import io.baton.proto.v1.Sampling;
import io.baton.proto.v1.StopConditions;
import io.baton.proto.v1.Token;
import io.baton.proto.v1.TokenIds;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.OptionalDouble;

/** The SDK's records to and from protobuf messages; the only class that knows both. */
final class Messages {

    private Messages() {}

    static GenerateRequest request(GenerateSpec spec) {
        GenerateRequest.Builder request = GenerateRequest.newBuilder()
                .setModel(spec.model())
                .setSampling(sampling(spec.sampling()))
                .setStop(StopConditions.newBuilder()
                        .setMaxTokens(spec.maxTokens())
                        .addAllStrings(spec.stopStrings())
                        .addAllTokenIds(spec.stopTokens())
                        .setIgnoreEos(spec.ignoreEos()))
                .addAllEmittedTokenIds(spec.emittedTokens())
                .setCacheSalt(spec.cacheSalt())
                .setPrefillMode(mode(spec.prefillMode()))
                .setFallbackPolicy(policy(spec.fallback()))
                .setChoices(spec.choices())
                .setFirstChoice(spec.firstChoice())
                .setPriority(spec.priority());
        spec.seed().ifPresent(request::setSeed);
        spec.logprobs().ifPresent(request::setLogprobs);
        switch (spec.prompt()) {
            case Prompt.Text(String text) -> request.setText(text);
            case Prompt.Tokens(var ids) ->
                request.setTokenIds(TokenIds.newBuilder().addAllIds(ids));
            case Prompt.Chat(var messages) -> {
                ChatMessages.Builder chat = ChatMessages.newBuilder();
                messages.forEach(message -> chat.addMessages(
                        ChatMessage.newBuilder().setRole(message.role()).setContent(message.content())));
                request.setChat(chat);
            }
        }
        return request.build();
    }

    private static Sampling sampling(SamplingSpec spec) {
        Sampling.Builder sampling = Sampling.newBuilder()
                .setTemperature(spec.temperature())
                .setTopK(spec.topK())
                .setMinP(spec.minP())
                .setPresencePenalty(spec.presencePenalty())
                .setFrequencyPenalty(spec.frequencyPenalty())
                .putAllLogitBias(spec.logitBias());
        // Unset means neutral, and says less to a gateway that does not serve the field.
        if (spec.topP() != 1) {
            sampling.setTopP(spec.topP());
        }
        if (spec.typicalP() != 1) {
            sampling.setTypicalP(spec.typicalP());
        }
        if (spec.repetitionPenalty() != 1) {
            sampling.setRepetitionPenalty(spec.repetitionPenalty());
        }
        return sampling.build();
    }

    private static io.baton.proto.v1.PrefillMode mode(PrefillMode mode) {
        return switch (mode) {
            case AUTO -> io.baton.proto.v1.PrefillMode.PREFILL_MODE_AUTO;
            case LOCAL -> io.baton.proto.v1.PrefillMode.PREFILL_MODE_LOCAL;
            case REMOTE -> io.baton.proto.v1.PrefillMode.PREFILL_MODE_REMOTE;
        };
    }

    private static FallbackPolicy policy(Fallback fallback) {
        return switch (fallback) {
            case LOCAL_PREFILL -> FallbackPolicy.FALLBACK_POLICY_LOCAL_PREFILL;
            case OTHER_PREFILL -> FallbackPolicy.FALLBACK_POLICY_OTHER_PREFILL;
            case FAIL -> FallbackPolicy.FALLBACK_POLICY_FAIL;
        };
    }

    static Started started(io.baton.proto.v1.Started started) {
        return new Started(
                started.getRequestId(), started.getModel(), started.getSeed(), started.getPromptTokenIdsList());
    }

    static GeneratedToken token(Token token) {
        return new GeneratedToken(
                token.getChoice(),
                token.getIndex(),
                token.getTokenId(),
                token.getText(),
                token.hasLogprob() ? OptionalDouble.of(token.getLogprob()) : OptionalDouble.empty(),
                token.getTopLogprobsList().stream()
                        .map(top -> new GeneratedToken.Likelihood(top.getTokenId(), top.getLogprob()))
                        .toList());
    }

    static FinishReason reason(io.baton.proto.v1.FinishReason reason) {
        return switch (reason) {
            case FINISH_REASON_STOP -> FinishReason.STOP;
            case FINISH_REASON_LENGTH -> FinishReason.LENGTH;
            case FINISH_REASON_UNSPECIFIED, UNRECOGNIZED -> FinishReason.OTHER;
        };
    }

    static Usage usage(Finished finished) {
        return new Usage(
                finished.getUsage().getPromptTokens(),
                finished.getUsage().getCachedTokens(),
                finished.getUsage().getOutputTokens());
    }

    static RouteTaken route(Route route) {
        return new RouteTaken(
                route.getDecodeNode(),
                named(route.getPrefillNode()),
                reasonName(route.getReason()),
                route.getEventsList().stream()
                        .map(event -> new RouteTaken.Event(
                                reasonName(event.getReason()), named(event.getNode()), event.getDetail()))
                        .toList(),
                route.getKvBlocksReceived(),
                route.getKvBytesReceived(),
                route.getDecodeCachedTokens(),
                route.getPrefillCachedTokens());
    }

    private static Optional<String> named(String node) {
        return node.isEmpty() ? Optional.empty() : Optional.of(node);
    }

    private static String reasonName(io.baton.proto.v1.Reason reason) {
        return reason.name().replaceFirst("^REASON_", "");
    }

    static TtftParts ttft(io.baton.proto.v1.TtftParts parts) {
        return new TtftParts(
                micros(parts.getTotalMicros()),
                micros(parts.getGatewayMicros()),
                micros(parts.getRouteMicros()),
                micros(parts.getDecodeAdmissionMicros()),
                micros(parts.getPrefillQueueMicros()),
                micros(parts.getPrefixFetchMicros()),
                micros(parts.getPrefillComputeMicros()),
                micros(parts.getExposedTransferMicros()),
                micros(parts.getFirstStepMicros()),
                micros(parts.getUnattributedMicros()));
    }

    private static Duration micros(long micros) {
        return Duration.of(micros, ChronoUnit.MICROS);
    }

    static ModelDescription model(GetModelResponse model) {
        return new ModelDescription(
                model.getModel(),
                model.getArchitecture(),
                model.getContextLength(),
                model.getVocabularySize(),
                model.getFingerprint().getBlockTokens(),
                model.getFingerprint().getNumerics(),
                model.getEosTokenIdsList());
    }
}
