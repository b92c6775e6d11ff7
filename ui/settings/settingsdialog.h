// SPDX-License-Identifier: MIT
#pragma once

#include "ui/settings/uisettings.h"

#include <QDialog>

class QCheckBox;
class QComboBox;
class QFontComboBox;
class QLabel;
class QSpinBox;

namespace isol8::ui {

class ConfigForm;

/// The window's settings and the configuration file.
class SettingsDialog : public QDialog {
    Q_OBJECT

public:
    SettingsDialog(SettingsStore& settings, const QString& configPath, QWidget* parent);

Q_SIGNALS:
    void configSaved();

private:
    QWidget* makeLook();
    QWidget* makeConfig(const QString& configPath);
    [[nodiscard]] UiSettings chosen() const;
    void save();

    SettingsStore& m_settings;
    QComboBox* m_scheme = nullptr;
    QCheckBox* m_isSystemFont = nullptr;
    QFontComboBox* m_font = nullptr;
    QSpinBox* m_fontSize = nullptr;
    QSpinBox* m_indent = nullptr;
    QCheckBox* m_isTab = nullptr;
    QCheckBox* m_isWrapping = nullptr;
    QCheckBox* m_areGuidesShown = nullptr;
    QSpinBox* m_scrollBack = nullptr;
    QSpinBox* m_history = nullptr;
    ConfigForm* m_config = nullptr;
    QLabel* m_message;
};

} // namespace isol8::ui
