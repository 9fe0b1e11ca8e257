package io.baton.cli;

import io.baton.engine.EngineHost;
import io.baton.engine.LoadProgress;
import io.baton.serving.Settings;
import java.io.PrintWriter;
import java.util.Locale;

/** Loads a model and tells a person at a terminal how far it has come. */
final class ModelLoading {

    private ModelLoading() {}

    static EngineHost load(ModelChoice model, Settings settings, Surroundings surroundings, PrintWriter err) {
        LoadProgress progress = surroundings.terminal() ? new Line(err) : LoadProgress.NONE;
        return EngineHost.open(model.path(), EngineSettings.host(settings), progress);
    }

    private static final class Line implements LoadProgress {
        private final PrintWriter err;
        private long shown = -1;

        Line(PrintWriter err) {
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

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%d %%", shown);
        }
    }
}
