// SPDX-License-Identifier: MIT
#pragma once

#include "ui/targets/connection.h"

#include <QDialog>

class QLabel;
class QPushButton;
class QTableWidget;

namespace isol8::ui {

/// The sessions of the chosen target: to attach to, and to stop.
class SessionsDialog : public QDialog {
    Q_OBJECT

public:
    SessionsDialog(Connection* connection, QWidget* parent);

Q_SIGNALS:
    void attachRequested(const QString& sessionId);
    void stopped(const QString& sessionId);

private:
    void fill();
    void stop();
    void updateButtons();
    [[nodiscard]] QString currentId() const;

    Connection* m_connection;
    QTableWidget* m_table;
    QLabel* m_message;
    QPushButton* m_attach;
    QPushButton* m_stop;
};

} // namespace isol8::ui
