package io.baton.serving;

/** Where a value came from; its text form is what people read. */
public sealed interface SettingOrigin {

    record Default() implements SettingOrigin {
        @Override
        public String toString() {
            return "default";
        }
    }

    /** @param line counted from 1 */
    record ConfigFile(String file, int line) implements SettingOrigin {
        @Override
        public String toString() {
            return "file " + file + ":" + line;
        }
    }

    record Environment(String variable) implements SettingOrigin {
        @Override
        public String toString() {
            return "environment " + variable;
        }
    }

    record Flag(String flag) implements SettingOrigin {
        @Override
        public String toString() {
            return "flag " + flag;
        }
    }
}
