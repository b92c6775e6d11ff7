// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/settingstable.h"

#include <QWidget>

class QVBoxLayout;

namespace isol8::ui {

/// The user's configuration file as a form: every key with its meaning, checked as it is typed.
/// Keys that are left alone are not written.
class ConfigForm : public QWidget {
    Q_OBJECT

public:
    /// @p path need not exist.
    ConfigForm(const QString& path, QWidget* parent);

    /// Why the form cannot be saved; empty when it can.
    [[nodiscard]] QString problem() const;
    [[nodiscard]] Result<> save();
    [[nodiscard]] bool isChanged() const { return !m_changes.isEmpty(); }

Q_SIGNALS:
    void edited();

private:
    void addKey(QVBoxLayout* rows, const SettingKey& key);
    [[nodiscard]] QWidget* makeEditor(const SettingKey& key, const QJsonValue& value);
    void change(const SettingKey& key, const QJsonValue& value);

    QString m_path;
    QJsonObject m_document;
    Settings m_settings;
    QString m_fileProblem;
    QMap<QString, QJsonValue> m_changes; ///< By path.
    QMap<QString, QString> m_problems;
};

} // namespace isol8::ui
