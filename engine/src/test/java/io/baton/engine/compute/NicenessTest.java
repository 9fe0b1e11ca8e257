package io.baton.engine.compute;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class NicenessTest {

    @Test
    void aWorkerIsNicerThanWhoeverCallsTheTeam() {
        AtomicInteger worker = new AtomicInteger(Integer.MIN_VALUE);
        try (ComputeTeam team = ComputeTeam.of(2)) {
            team.forRanges(2, Long.MAX_VALUE, (from, to, index) -> {
                if (index == 1) {
                    worker.set(niceness());
                }
            });
        }
        assertThat(worker.get()).isEqualTo(Math.min(19, niceness() + Niceness.STEPS));
    }

    /** Field 19 of proc(5)'s stat, counted from the end of the name, which may hold blanks. */
    private static int niceness() {
        try {
            String stat = Files.readString(Path.of("/proc/thread-self/stat"));
            return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[19 - 3]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
