package io.baton.engine.schedule;

import io.baton.engine.EngineException;
import io.baton.engine.EngineException.Kind;
import io.baton.engine.EngineOptions;
import io.baton.engine.GenerationListener;
import io.baton.engine.GenerationRequest;
import io.baton.engine.GenerationRequest.Answer;
import io.baton.engine.ModelShape;
import io.baton.engine.PrefillListener;
import io.baton.engine.PrefillRequest;
import io.baton.kv.BlockChain;
import io.baton.kv.SequenceRoot;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/** Checks requests and makes sequences of them, block hashes included; on the caller's thread. */
final class Intake {

    private static final int[] NONE = {};

    private final ModelShape shape;
    private final EngineOptions options;
    private final int poolBlocks;
    private final LongSupplier clock;

    Intake(ModelShape shape, EngineOptions options, int poolBlocks, LongSupplier clock) {
        this.shape = shape;
        this.options = options;
        this.poolBlocks = poolBlocks;
        this.clock = clock;
    }

    /** Why the request can never be served. */
    Optional<EngineException> refusal(PrefillRequest request) {
        return refusalBy(() -> check(request));
    }

    /** Why the request can never be served. */
    Optional<EngineException> refusal(GenerationRequest request) {
        return refusalBy(() -> check(request));
    }

    private static Optional<EngineException> refusalBy(Runnable check) {
        try {
            check.run();
            return Optional.empty();
        } catch (EngineException refusal) {
            return Optional.of(refusal);
        }
    }

    private void check(PrefillRequest request) {
        int tokens = request.tokens().length;
        checkTokens("prompt", request.tokens());
        require(tokens > 0, "the prompt is empty; send at least one token");
        if (tokens > shape.contextLength()) {
            throw new EngineException(
                    Kind.OUT_OF_RANGE,
                    "the prompt has %d tokens, the context length is %d; shorten the prompt"
                            .formatted(tokens, shape.contextLength()));
        }
        checkBlocks(blocksFor(tokens), "%d prompt tokens".formatted(tokens));
    }

    Prefill prefill(PrefillRequest request, PrefillListener listener) {
        return new Prefill(
                request, listener, chain(request.root(), request.tokens()), blocksFor(request.tokens().length), now());
    }

    /** A sequence for a request that is refused; only its listener is of use. */
    Prefill refused(PrefillRequest request, PrefillListener listener) {
        return new Prefill(request, listener, chain(request.root(), NONE), 0, now());
    }

    private void check(GenerationRequest request) {
        int prompt = request.promptTokens().length;
        checkTokens("prompt", request.promptTokens());
        request.answers().forEach(answer -> checkTokens("emitted output", answer.emittedTokens()));
        require(prompt > 0, "the prompt is empty; send at least one token");
        require(request.maxTokens() > 0, "max tokens must be at least 1, found " + request.maxTokens());
        require(request.logprobs() >= -1, "logprobs must be at least -1, found " + request.logprobs());
        require(
                request.sampling().highestTokenId() < shape.vocabularySize(),
                "a logit bias names token %d, the vocabulary has %d"
                        .formatted(request.sampling().highestTokenId(), shape.vocabularySize()));
        require(
                request.choices() >= 1 && request.choices() <= options.maxSequences(),
                "the number of answers must be between 1 and %d (max-sequences), found %d"
                        .formatted(options.maxSequences(), request.choices()));
        List<Integer> numbers =
                request.answers().stream().map(Answer::choice).sorted().toList();
        require(
                numbers.getFirst() >= 0 && numbers.size() == Set.copyOf(numbers).size(),
                "answers are numbered %s; each needs a number of its own, 0 or more".formatted(numbers));
        if (prompt >= shape.contextLength()) {
            throw new EngineException(
                    Kind.OUT_OF_RANGE,
                    "the prompt has %d tokens, the context length is %d, and the answer needs one at least; shorten it"
                            .formatted(prompt, shape.contextLength()));
        }
        int output = maxOutput(request);
        if (request.choices() > 1) {
            request.answers().forEach(answer -> requireOpen(answer, request, output));
        }
        int whole = request.choices() == 1 ? 0 : prompt / options.blockTokens();
        long blocks = neededBlocks(request) + (request.choices() - 1L) * (neededBlocks(request) - whole);
        String each = request.choices() == 1 ? "" : " of each of %d answers".formatted(request.choices());
        checkBlocks(blocks, "%d prompt tokens and up to %d output tokens%s".formatted(prompt, output, each));
    }

    private static void requireOpen(Answer answer, GenerationRequest request, int maxOutput) {
        int[] emitted = answer.emittedTokens();
        boolean stopped = emitted.length > 0 && request.stopTokens().contains(emitted[emitted.length - 1]);
        require(
                emitted.length < maxOutput && !stopped,
                "answer %d is complete with its %d emitted tokens; leave it out"
                        .formatted(answer.choice(), emitted.length));
    }

    Generation generation(GenerationRequest request, GenerationListener listener) {
        int[] tokens = tokens(request);
        return new Generation(
                request,
                listener,
                tokens,
                chain(request.root(), tokens),
                neededBlocks(request),
                maxOutput(request),
                now());
    }

    /** A sequence for a request that is refused; only its listener is of use. */
    Generation refused(GenerationRequest request, GenerationListener listener) {
        return new Generation(request, listener, NONE, chain(request.root(), NONE), 0, 0, now());
    }

    /** Output tokens at most: what was asked for, or what the context leaves. */
    private int maxOutput(GenerationRequest request) {
        return Math.min(request.maxTokens(), shape.contextLength() - request.promptTokens().length);
    }

    /** The last output token's K and V are never needed. */
    private int neededBlocks(GenerationRequest request) {
        return blocksFor(request.promptTokens().length + maxOutput(request) - 1);
    }

    private static int[] tokens(GenerationRequest request) {
        int[] prompt = request.promptTokens();
        int[] emitted = request.emittedTokens();
        int[] tokens = new int[prompt.length + emitted.length];
        System.arraycopy(prompt, 0, tokens, 0, prompt.length);
        System.arraycopy(emitted, 0, tokens, prompt.length, emitted.length);
        return tokens;
    }

    private BlockChain chain(SequenceRoot root, int[] tokens) {
        BlockChain chain = new BlockChain(root, options.blockTokens());
        for (int token : tokens) {
            chain.append(token);
        }
        return chain;
    }

    private int blocksFor(int tokens) {
        return Math.ceilDiv(tokens, options.blockTokens());
    }

    private void checkBlocks(long needed, String what) {
        if (needed > poolBlocks) {
            throw new EngineException(
                    Kind.RESOURCE_EXHAUSTED,
                    "%s need %d blocks of %d tokens, the whole pool has %d; ask for less or enlarge the pool"
                            .formatted(what, needed, options.blockTokens(), poolBlocks));
        }
    }

    private void checkTokens(String what, int[] tokens) {
        for (int i = 0; i < tokens.length; i++) {
            if (tokens[i] < 0 || tokens[i] >= shape.vocabularySize()) {
                throw new EngineException(
                        Kind.INVALID_ARGUMENT,
                        "token %d of the %s is %d, the vocabulary has %d"
                                .formatted(i, what, tokens[i], shape.vocabularySize()));
            }
        }
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new EngineException(Kind.INVALID_ARGUMENT, otherwise);
        }
    }

    private long now() {
        return clock.getAsLong();
    }
}
