package io.baton.engine.schedule;

import io.baton.engine.EngineException;
import io.baton.engine.EngineException.Kind;
import io.baton.engine.FinishReason;
import io.baton.engine.GeneratedToken;
import io.baton.engine.sample.Candidates;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One step: the last token of every running sequence and at most one chunk of prompts (and of output that another node
 * sampled) go through the model together, then the head and the samplers give each sequence its next token. So decoding
 * never waits longer than one chunk. Confined to the scheduler thread.
 */
final class Step {

    private static final Logger log = LoggerFactory.getLogger(Step.class);

    /** Rows of one pass over the output matrix; its kernels take sixteen at a time. */
    private static final int HEAD_ROWS = 16;

    /** A part of a prompt in the batch. */
    private static final class Chunk {
        final Sequence sequence;
        final int first;
        final int end;
        final int entry;

        @Nullable
        Throwable thrown; // by its listener, within the pass

        Chunk(Sequence sequence, int first, int end, int entry) {
            this.sequence = sequence;
            this.first = first;
            this.end = end;
            this.entry = entry;
        }

        boolean last() {
            return end == sequence.tokens.length;
        }
    }

    private final Schedule schedule;
    private final ModelRunner runner;
    private final Candidates candidates;
    private final float[][] hidden = new float[HEAD_ROWS][];
    private final float[][] logits;
    private final List<Choice> decoding = new ArrayList<>();
    private final List<Chunk> chunks = new ArrayList<>();

    Step(Schedule schedule) {
        this.schedule = schedule;
        this.runner = schedule.runner;
        int vocabulary = schedule.shape.vocabularySize();
        this.candidates = new Candidates(vocabulary);
        this.logits = new float[Math.min(HEAD_ROWS, schedule.options.maxSequences())][vocabulary];
    }

    void run() {
        long start = schedule.clock.getAsLong();
        int prefillRows = compose(start);
        int decodeRows = 0;
        for (Choice choice : decoding) {
            decodeRows += choice.rows == 1 ? 1 : 0; // more are known output, which is computed like a prompt
        }
        if (prefillRows + decodeRows > 0 && compute()) {
            chunks.forEach(this::finish);
            decoding.forEach(this::finish);
        }
        sampleAll();
        long now = schedule.clock.getAsLong();
        schedule.meter.step(prefillRows, decodeRows, now - start, now);
    }

    /** Fills the batch; how many rows of prompts are in it. */
    private int compose(long now) {
        runner.clear();
        decoding.clear();
        chunks.clear();
        int budget = schedule.options.chunkTokens();
        for (Choice choice : schedule.running) {
            if (choice.hidden == null) {
                int left = choice.tokensLeft();
                int rows = Math.min(left, Math.max(1, budget)); // the last token of each never waits
                if (left == 1 || budget > 0) {
                    add(choice, rows);
                    budget -= left == 1 ? 0 : rows;
                }
            }
        }
        for (Sequence sequence : List.copyOf(schedule.prefilling)) {
            if (budget == 0) {
                break;
            }
            schedule.reuse(sequence);
            if (sequence.ended) {
                continue; // its listener threw
            }
            SequenceKv kv = sequence.kv();
            int first = kv.computed();
            int count = Math.min(budget, sequence.tokensLeft());
            boolean last = count == sequence.tokensLeft();
            kv.makeRoomFor(first + count);
            int entry = runner.add(sequence.tokens, first, count, first, kv.table(), last);
            chunks.add(new Chunk(sequence, first, first + count, entry));
            if (!sequence.started) {
                sequence.started = true;
                sequence.firstChunkNanos = now;
            }
            budget -= count;
        }
        return schedule.options.chunkTokens() - budget;
    }

    private void add(Choice choice, int rows) {
        int position = choice.kv.computed();
        choice.kv.makeRoomFor(position + rows);
        boolean last = rows == choice.tokensLeft();
        choice.rows = rows;
        choice.entry = runner.add(choice.uncomputed, choice.computed, rows, position, choice.kv.table(), last);
        decoding.add(choice);
    }

    private boolean compute() {
        try {
            runner.run(this::layerFinished);
            return true;
        } catch (RuntimeException | Error e) {
            log.error("a forward pass failed; the {} sequences in it end", chunks.size() + decoding.size(), e);
            EngineException cause = new EngineException(Kind.INTERNAL, "the forward pass failed: " + e, e);
            chunks.forEach(chunk -> schedule.fail(chunk.sequence, cause));
            decoding.forEach(choice -> schedule.fail(choice.generation, cause));
            return false;
        }
    }

    private void layerFinished(int layer) {
        for (Chunk chunk : chunks) {
            if (chunk.sequence instanceof Prefill prefill && chunk.thrown == null) {
                try {
                    prefill.listener.layerFinished(layer, chunk.first, chunk.end);
                } catch (RuntimeException | Error e) {
                    chunk.thrown = e; // the other sequences' pass goes on
                }
            }
        }
    }

    private void finish(Chunk chunk) {
        Throwable thrown = chunk.thrown;
        if (!runner.finite(chunk.entry)) {
            String where = "in tokens %d to %d of its prompt".formatted(chunk.first, chunk.end - 1);
            schedule.fail(chunk.sequence, chunk.sequence.notFinite(where));
        } else if (thrown != null) {
            log.error("the listener of {} threw; the sequence ends", chunk.sequence, thrown);
            String message = "the listener of %s threw: %s".formatted(chunk.sequence, thrown);
            schedule.fail(chunk.sequence, new EngineException(Kind.INTERNAL, message, thrown));
        } else {
            float[] state = null;
            if (chunk.last()) {
                state = new float[schedule.shape.dim()];
                runner.hidden(chunk.entry, state);
            }
            schedule.chunkDone(chunk.sequence, chunk.end, state);
        }
    }

    private void finish(Choice choice) {
        if (choice.ended) {
            return; // another answer of its request failed
        }
        if (!runner.finite(choice.entry)) {
            String where = "in output token %d".formatted(choice.outputs - choice.tokensLeft());
            schedule.fail(choice.generation, choice.generation.notFinite(where));
            return;
        }
        if (choice.rows == choice.tokensLeft()) {
            runner.hidden(choice.entry, choice.nextHidden());
        }
        choice.computed += choice.rows;
        choice.kv.advanceTo(choice.kv.computed() + choice.rows);
    }

    /** The head and the samplers, over everything that has a hidden state now. */
    private void sampleAll() {
        List<Choice> ready = new ArrayList<>();
        for (Choice choice : schedule.running) {
            if (choice.hidden != null) {
                ready.add(choice);
            }
        }
        for (int from = 0; from < ready.size(); from += logits.length) {
            sample(ready.subList(from, Math.min(ready.size(), from + logits.length)));
        }
    }

    private void sample(List<Choice> rows) {
        for (int i = 0; i < rows.size(); i++) {
            hidden[i] = rows.get(i).hiddenState();
        }
        try {
            runner.logits(hidden, rows.size(), logits);
        } catch (RuntimeException | Error e) {
            log.error("the output head failed; the {} sequences in it end", rows.size(), e);
            EngineException cause = new EngineException(Kind.INTERNAL, "the output head failed: " + e, e);
            rows.forEach(choice -> schedule.fail(choice.generation, cause));
            return;
        }
        for (int i = 0; i < rows.size(); i++) {
            if (!rows.get(i).ended) {
                sample(rows.get(i), logits[i]);
            }
        }
    }

    private void sample(Choice choice, float[] row) {
        Generation generation = choice.generation;
        GeneratedToken token;
        try {
            token = choice.sampler.next(row, candidates);
        } catch (EngineException e) {
            schedule.fail(generation, e);
            return;
        }
        choice.append(token.tokenId());
        generation.tokenGiven(schedule.clock.getAsLong());
        boolean[] more = new boolean[1];
        if (!schedule.tell(generation, () -> more[0] = generation.listener.token(token))) {
            return;
        }
        if (!more[0] || generation.request.stopTokens().contains(token.tokenId())) {
            schedule.finish(choice, FinishReason.STOP);
        } else if (choice.outputs >= generation.maxOutput) {
            schedule.finish(choice, FinishReason.LENGTH);
        }
    }
}
