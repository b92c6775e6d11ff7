// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"

#include <QWidget>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;

namespace isol8::ui {

/// The network of a run: its mode, the lists of a filter, and what they say about a host name.
class NetworkForm : public QWidget {
    Q_OBJECT

public:
    explicit NetworkForm(QWidget* parent);

    void setValues(const ExecutionOptions& options);
    void writeTo(ExecutionOptions& options) const;

Q_SIGNALS:
    void edited();

private:
    void handleEdit();
    void judge();

    QComboBox* m_mode;
    QLabel* m_meaning;
    QWidget* m_filter;
    QPlainTextEdit* m_allow;
    QPlainTextEdit* m_deny;
    QCheckBox* m_isLogged;
    QLineEdit* m_host;
    QLabel* m_verdict;
    bool m_isFilling = false;
};

} // namespace isol8::ui
