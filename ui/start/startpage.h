// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QFrame>

class QLabel;
class QPushButton;
class QPlainTextEdit;

namespace isol8::ui {

/// What keeps code from running here, as the first thing that a new user sees: which it is, what to
/// do, and a button that does it where it can.
class StartPage : public QFrame {
    Q_OBJECT

public:
    explicit StartPage(QWidget* parent);

    enum class Problem { None, DockerMissing, DockerStopped, NoPermission, NoImages, Other };

    void setProblem(Problem problem, const QString& detail = {});
    [[nodiscard]] Problem problem() const { return m_problem; }

    /// What is wrong with this computer's Docker, whose programs are in one of @p places.
    [[nodiscard]] static Problem problemOf(
        const Error& error, const QStringList& places = programPlaces());
    /// Folders of programs, those of administrators among them.
    [[nodiscard]] static QStringList programPlaces();

Q_SIGNALS:
    void checkRequested();
    void buildRequested();
    void serversRequested();

private:
    void fix();

    Problem m_problem = Problem::None;
    QLabel* m_title;
    QLabel* m_text;
    QPlainTextEdit* m_command;
    QPushButton* m_fix;
};

} // namespace isol8::ui
