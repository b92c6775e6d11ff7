// SPDX-License-Identifier: MIT
#pragma once

#include "ui/run/runplan.h"

#include <QScrollArea>

class QCheckBox;
class QLineEdit;
class QPlainTextEdit;
class QVBoxLayout;

namespace isol8::ui {

class CheckedLine;
class LimitsForm;
class NetworkForm;
class PairsTable;

/// Every option of a run that makes sense for the text in front. Shows RunSettings and tells when
/// the user changes them; keeping them is the window's business.
class RunOptionsPanel : public QScrollArea {
    Q_OBJECT

public:
    explicit RunOptionsPanel(QWidget* parent);

    void setValues(const RunSettings& settings);
    [[nodiscard]] const RunSettings& settings() const { return m_settings; }

Q_SIGNALS:
    void edited(const isol8::ui::RunSettings& settings);
    void resetRequested();
    void copyCommandLineRequested();
    void copyCurlRequested();

private:
    void addSection(QVBoxLayout* rows, const QString& title, QWidget* content);
    QWidget* makeProgram();
    QWidget* makeInput();
    QWidget* makeSecrets();
    QWidget* makePreparation();
    QWidget* makeButtons();
    void changed();
    void collect();

    RunSettings m_settings;
    bool m_isFilling = false;
    LimitsForm* m_limits;
    NetworkForm* m_network;
    QPlainTextEdit* m_arguments = nullptr;
    CheckedLine* m_workingDirectory = nullptr;
    PairsTable* m_environment = nullptr;
    PairsTable* m_secrets = nullptr;
    QCheckBox* m_isInputLive = nullptr;
    QPlainTextEdit* m_input = nullptr;
    QLineEdit* m_packages = nullptr;
    QPlainTextEdit* m_setup = nullptr;
    QLineEdit* m_image = nullptr;
    QCheckBox* m_isWritable = nullptr;
};

} // namespace isol8::ui
