package io.baton.engine.schedule;

import io.baton.engine.schedule.Generation.Phase;
import io.baton.kv.CacheCounts;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;

/** Checks what must hold between two steps. */
final class ScheduleAudit {

    private final Schedule schedule;

    ScheduleAudit(Schedule schedule) {
        this.schedule = schedule;
    }

    /** Throws {@link IllegalStateException} naming what does not hold. */
    void run() {
        schedule.cache.checkInvariants();
        checkWaiting();
        checkAdmitted();
        checkPrefilling();
        checkRunning();
        checkHeld();
        checkLeases();
    }

    private void checkWaiting() {
        require(schedule.waiting.size() <= schedule.options.maxWaiting(), schedule.waiting.size(), " requests wait");
        for (Sequence sequence : schedule.waiting) {
            require(!sequence.ended && sequence.kv == null, sequence, " waits, but has ended or has blocks");
        }
    }

    private void checkAdmitted() {
        int occupied = 0;
        for (Generation generation : schedule.admitted) {
            require(
                    !generation.ended && generation.kv != null,
                    generation,
                    " is admitted, but ended or without blocks");
            require(
                    (generation.fill != null) == (generation.phase == Phase.LENT),
                    generation,
                    " is ",
                    generation.phase,
                    ", its blocks are ",
                    generation.fill == null ? "not lent" : "lent");
            require(
                    schedule.prefilling.contains(generation) == (generation.phase == Phase.PREFILLING),
                    generation,
                    " is ",
                    generation.phase,
                    ", but that is not the queue it is in");
            occupied += generation.phase == Phase.RUNNING
                    ? (int) generation.choices.stream()
                            .filter(choice -> !choice.ended)
                            .count()
                    : generation.request.choices();
        }
        require(occupied == schedule.occupied(), occupied, " places are occupied, ", schedule.occupied(), " counted");
        require(occupied <= schedule.options.maxSequences(), occupied, " sequences are admitted");
    }

    private void checkPrefilling() {
        for (Sequence sequence : schedule.prefilling) {
            require(!sequence.ended, sequence, " is prefilling, but has ended");
            require(sequence.tokensLeft() > 0, sequence, " is prefilling, but has no tokens left");
            checkVisible(sequence.kv(), sequence);
        }
    }

    private void checkRunning() {
        for (Choice choice : schedule.running) {
            Generation generation = choice.generation;
            require(!choice.ended && generation.phase == Phase.RUNNING, choice, " runs, but its request does not");
            require(schedule.admitted.contains(generation), choice, " runs, but is not admitted");
            int expected = generation.request.promptTokens().length
                    + choice.outputs
                    - (choice.hidden == null ? choice.tokensLeft() : 0);
            require(
                    choice.kv.computed() == expected,
                    choice,
                    " has ",
                    choice.kv.computed(),
                    " positions computed, expected ",
                    expected);
            checkVisible(choice.kv, choice);
        }
    }

    private void checkVisible(SequenceKv kv, Object owner) {
        int whole = kv.computed() / schedule.options.blockTokens();
        require(
                kv.visibleBlocks() == whole,
                owner,
                " has ",
                kv.visibleBlocks(),
                " visible blocks of ",
                whole,
                " whole ones");
    }

    private void checkHeld() {
        for (Sequence sequence : schedule.held) {
            require(sequence.ended && sequence.blocksLent(), sequence, " is held for nobody");
        }
    }

    private void checkLeases() {
        Set<SequenceKv> owners = new HashSet<>();
        schedule.admitted.stream().filter(each -> each.choices.isEmpty()).forEach(each -> owners.add(each.kv()));
        schedule.prefilling.forEach(each -> owners.add(each.kv()));
        schedule.running.forEach(each -> owners.add(each.kv));
        schedule.held.forEach(each -> owners.add(each.kv()));
        require(
                owners.size() == schedule.cache.holders().size(),
                owners.size(),
                " sequences have blocks, but the leases are ",
                schedule.cache.holders());
        CacheCounts counts = schedule.cache.counts();
        require(
                !owners.isEmpty() || counts.inUse() + counts.committed() == 0,
                "no sequence has blocks, but the counts are ",
                counts);
    }

    private static void require(boolean holds, Object... otherwise) {
        if (!holds) {
            String found = Arrays.stream(otherwise).map(String::valueOf).collect(Collectors.joining());
            throw new IllegalStateException(found);
        }
    }
}
