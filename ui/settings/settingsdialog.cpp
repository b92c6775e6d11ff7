// SPDX-License-Identifier: MIT
#include "ui/settings/settingsdialog.h"

#include "ui/run/runsentences.h"
#include "ui/settings/configform.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QFontComboBox>
#include <QFontDatabase>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSpinBox>
#include <QTabWidget>
#include <QVBoxLayout>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

QSpinBox* makeNumber(const char* name, int least, int most, int value, QWidget* parent)
{
    auto* box = new QSpinBox(parent);
    box->setObjectName(QLatin1StringView(name));
    box->setRange(least, most);
    box->setGroupSeparatorShown(true);
    box->setValue(value);
    return box;
}

} // namespace

SettingsDialog::SettingsDialog(SettingsStore& settings, const QString& configPath, QWidget* parent)
    : QDialog(parent)
    , m_settings(settings)
    , m_message(new QLabel(this))
{
    setObjectName(u"settingsDialog"_s);
    setWindowTitle(tr("Settings"));
    resize(560, 560);
    auto* tabs = new QTabWidget(this);
    tabs->setObjectName(u"settingsTabs"_s);
    tabs->addTab(makeLook(), tr("&Window"));
    tabs->addTab(makeConfig(configPath), tr("&Configuration"));
    m_message->setObjectName(u"settingsMessage"_s);
    m_message->setTextFormat(Qt::PlainText);
    m_message->setWordWrap(true);
    auto* box = new QDialogButtonBox(QDialogButtonBox::Save | QDialogButtonBox::Cancel, this);
    auto* rows = new QVBoxLayout(this);
    rows->addWidget(tabs, 1);
    rows->addWidget(m_message);
    rows->addWidget(box);
    connect(box, &QDialogButtonBox::accepted, this, &SettingsDialog::save);
    connect(box, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(
        m_config, &ConfigForm::edited, this, [this] { m_message->setText(m_config->problem()); });
}

QWidget* SettingsDialog::makeLook()
{
    const auto& values = m_settings.values();
    auto* page = new QWidget(this);
    page->setAutoFillBackground(true); // As its neighbour's, whose area scrolls.
    m_scheme = new QComboBox(page);
    m_scheme->setObjectName(u"settingScheme"_s);
    m_scheme->addItems({ tr("As the system"), tr("Light"), tr("Dark") });
    m_scheme->setCurrentIndex(int(values.colourScheme));
    m_isSystemFont = new QCheckBox(tr("The system's fixed font"), page);
    m_isSystemFont->setChecked(values.fontFamily.isEmpty());
    m_font = new QFontComboBox(page);
    m_font->setFontFilters(QFontComboBox::MonospacedFonts);
    const auto system = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    m_font->setCurrentFont(values.fontFamily.isEmpty() ? system : QFont(values.fontFamily));
    m_font->setDisabled(values.fontFamily.isEmpty());
    m_fontSize = makeNumber("settingFontSize", 0, 60, values.fontSize, page);
    m_fontSize->setSpecialValueText(tr("As the system"));
    m_indent = makeNumber("settingIndent", 1, 16, values.indentWidth, page);
    m_isTab = new QCheckBox(tr("Indent with tabs"), page);
    m_isTab->setChecked(values.isIndentTab);
    m_isWrapping = new QCheckBox(tr("Wrap long lines"), page);
    m_isWrapping->setChecked(values.isWrapping);
    m_areGuidesShown = new QCheckBox(tr("Show indentation guides"), page);
    m_areGuidesShown->setChecked(values.areGuidesShown);
    m_scrollBack = makeNumber("settingScrollBack", 1000, 1'000'000, values.scrollBackLines, page);
    m_scrollBack->setSingleStep(10'000);
    m_history = makeNumber("settingHistory", 1, 4096, values.historyMegabytes, page);
    m_history->setSuffix(tr(" MB"));

    auto* form = new QFormLayout(page);
    form->addRow(tr("&Colours"), m_scheme);
    form->addRow(tr("&Font"), m_isSystemFont);
    form->addRow(QString(), m_font);
    form->addRow(tr("Font &size"), m_fontSize);
    form->addRow(tr("&Indentation"), m_indent);
    form->addRow(QString(), m_isTab);
    form->addRow(QString(), m_isWrapping);
    form->addRow(QString(), m_areGuidesShown);
    form->addRow(tr("Lines of &output kept"), m_scrollBack);
    form->addRow(tr("&History"), m_history);
    m_font->setAccessibleName(tr("Font"));
    m_font->lineEdit()->setAccessibleName(tr("Font"));
    connect(m_isSystemFont, &QCheckBox::toggled, m_font, &QWidget::setDisabled);
    return page;
}

QWidget* SettingsDialog::makeConfig(const QString& configPath)
{
    auto* area = new QScrollArea(this);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    m_config = new ConfigForm(configPath, area);
    area->setWidget(m_config);
    return area;
}

UiSettings SettingsDialog::chosen() const
{
    auto values = m_settings.values();
    values.colourScheme = UiSettings::ColourScheme(m_scheme->currentIndex());
    values.fontFamily = m_isSystemFont->isChecked() ? QString() : m_font->currentFont().family();
    values.fontSize = m_fontSize->value();
    values.indentWidth = m_indent->value();
    values.isIndentTab = m_isTab->isChecked();
    values.isWrapping = m_isWrapping->isChecked();
    values.areGuidesShown = m_areGuidesShown->isChecked();
    values.scrollBackLines = m_scrollBack->value();
    values.historyMegabytes = m_history->value();
    return values;
}

void SettingsDialog::save()
{
    if (m_config->isChanged()) {
        if (const auto saved = m_config->save(); !saved) {
            m_message->setText(failureSentence(saved.error()));
            return;
        }
        Q_EMIT configSaved();
    }
    m_settings.change(chosen());
    accept();
}

} // namespace isol8::ui
