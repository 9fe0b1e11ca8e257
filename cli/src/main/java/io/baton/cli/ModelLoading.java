package io.baton.cli;

import io.baton.engine.EngineHost;
import io.baton.engine.LoadProgress;
import io.baton.gateway.ServedModel;
import io.baton.model.files.ModelFile;
import io.baton.serving.Settings;
import java.io.PrintWriter;

/** Loads what a role needs of the model. Nothing of the file is in use any more when a method returns. */
final class ModelLoading {

    private ModelLoading() {}

    /** Packs the weights, and tells a person at a terminal how far that has come. */
    static EngineHost host(Settings settings, Surroundings surroundings, PrintWriter err) {
        LoadProgress progress = surroundings.terminal() ? progress(err) : LoadProgress.NONE;
        try (ModelChoice model = ModelChoice.of(settings)) {
            return EngineHost.open(model.path(), EngineSettings.host(settings), progress);
        }
    }

    /** Tells a person at a terminal how far it has come. */
    static LoadProgress progress(PrintWriter err) {
        return new ProgressLine(err);
    }

    /** Reads the vocabulary and sizes only. */
    static ServedModel served(Settings settings) {
        try (ModelChoice model = ModelChoice.of(settings);
                ModelFile file = ModelFile.open(model.path())) {
            return ServedModel.of(file);
        }
    }

    private static final class ProgressLine implements LoadProgress {
        private final PrintWriter err;
        private long shown = -1;

        ProgressLine(PrintWriter err) {
            this.err = err;
        }

        @Override
        public void packed(long done, long total) {
            long percent = total == 0 ? 100 : 100 * done / total;
            if (percent != shown) {
                shown = percent;
                err.print("\rloading the model … %d %%".formatted(percent));
                err.print(done == total ? "\r" + " ".repeat(30) + "\r" : "");
                err.flush();
            }
        }
    }
}
