package io.baton.cli;

import io.baton.bench.BenchmarkRow;

/** How measured rows are shown. */
sealed interface BenchmarkOutput permits BenchmarkJson, BenchmarkTable {

    /** Before the first row. */
    void begin();

    void row(BenchmarkRow row);
}
