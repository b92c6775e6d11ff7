// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"
#include "engine/output/secretset.h"

#include <QElapsedTimer>
#include <QString>

#include <optional>

namespace isol8::cli {

/// What isol8 itself says: tagged status lines on standard error, requested data on standard
/// output. Sentences are masked and made fit for a terminal here, so callers pass them as they are.
/// The program's own output does not come this way.
class Console {
public:
    Console();

    void ok(const QString& text);
    void info(const QString& text);
    void warn(const QString& text);
    void error(const QString& text);
    void error(const Error& failure);
    void debug(const QString& text); ///< Nothing unless setDebug().

    /// One line of data, or a whole document, on standard output; unmasked and as it is.
    void print(const QString& text);
    void printBytes(const QByteArray& bytes);

    /// `[..]` for work that goes on: redrawn in place on a terminal, else a line each time @p text
    /// changes. @p fraction 0 to 1 draws a bar.
    void progress(const QString& text, std::optional<double> fraction = {});
    void endProgress();

    /// Asks `question [y/N]` on the terminal. False without one and for every answer but yes.
    [[nodiscard]] bool confirm(const QString& question);
    [[nodiscard]] bool canAsk() const;
    /// Whether progress is drawn for eyes.
    [[nodiscard]] bool isTerminal() const { return m_isTerminal; }
    /// Asks on the terminal: the line that was typed, without white space around it. None without a
    /// terminal and at its end.
    [[nodiscard]] std::optional<QString> ask(const QString& question);

    void setDebug(bool isDebug) { m_isDebug = isDebug; }
    [[nodiscard]] bool isDebug() const { return m_isDebug; }
    void setSecrets(const SecretSet& secrets) { m_secrets = secrets; }

    /// True when data could not be written; the command then has failed.
    [[nodiscard]] bool hasFailed() const { return m_hasFailed; }

    /// Sends the log of all categories here: warnings always (of ours), the rest with setDebug().
    void captureLog();

private:
    void say(const char* tag, int colour, const QString& text);

    SecretSet m_secrets;
    QString m_progress;
    QElapsedTimer m_sinceProgress;
    int m_spinner = 0;
    bool m_isDebug = false;
    bool m_hasFailed = false;
    bool m_isTerminal = false;
    bool m_hasColour = false;
    bool m_isProgressDrawn = false;
};

/// Writes all of @p bytes, waiting where the descriptor is not ready. False with errno on failure.
[[nodiscard]] bool writeAll(int descriptor, const QByteArray& bytes);

} // namespace isol8::cli
