// SPDX-License-Identifier: MIT
#pragma once

#include "ui/targets/target.h"

#include <QDialog>

class QLabel;
class QLineEdit;
class QListWidget;
class QPushButton;

namespace isol8::ui {

class KeyStore;
class TargetStore;

/// Adds, edits, tests and removes servers.
class ServersDialog : public QDialog {
    Q_OBJECT

public:
    ServersDialog(TargetStore& targets, KeyStore& keys, EngineFactory engines, QWidget* parent);

private:
    QWidget* makeForm();
    void fill(const QString& selectedId);
    void showServer();
    void add();
    void removeServer();
    void saveServer();
    void test();
    void say(const QString& sentence, bool isGood);
    [[nodiscard]] QString currentId() const;

    TargetStore& m_targets;
    KeyStore& m_keys;
    EngineFactory m_engines;
    QListWidget* m_list;
    QLineEdit* m_name = nullptr;
    QLineEdit* m_address = nullptr;
    QLineEdit* m_key = nullptr;
    QLabel* m_message = nullptr;
    QWidget* m_form = nullptr;
    QPushButton* m_test = nullptr;
    QPushButton* m_remove;
    QString m_newId; ///< Of a server that is being added.
};

} // namespace isol8::ui
