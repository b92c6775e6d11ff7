// SPDX-License-Identifier: MIT
#include "ui/run/runoptionspanel.h"

#include "engine/core/validation.h"
#include "ui/run/limitsform.h"
#include "ui/run/networkform.h"
#include "ui/widgets/checkedline.h"
#include "ui/widgets/pairstable.h"

#include <QCheckBox>
#include <QFormLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScopedValueRollback>
#include <QScrollBar>
#include <QVBoxLayout>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

QPlainTextEdit* makeText(
    const char* name, const QString& label, const QString& hint, int lines, QWidget* parent)
{
    auto* text = new QPlainTextEdit(parent);
    text->setObjectName(QLatin1StringView(name));
    text->setAccessibleName(label);
    text->setPlaceholderText(hint);
    text->setTabChangesFocus(true);
    text->setLineWrapMode(QPlainTextEdit::NoWrap);
    text->setFixedHeight(text->fontMetrics().lineSpacing() * lines + 14);
    return text;
}

QFormLayout* formOf(QWidget* widget)
{
    auto* form = new QFormLayout(widget);
    form->setContentsMargins(0, 0, 0, 0);
    form->setRowWrapPolicy(QFormLayout::WrapAllRows);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    return form;
}

} // namespace

RunOptionsPanel::RunOptionsPanel(QWidget* parent)
    : QScrollArea(parent)
    , m_limits(new LimitsForm(this))
    , m_network(new NetworkForm(this))
{
    setObjectName(u"runOptions"_s);
    setAccessibleName(tr("Run options"));
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* content = new QWidget(this);
    auto* rows = new QVBoxLayout(content);
    rows->setContentsMargins(10, 8, 10, 10);
    rows->setSpacing(6);
    addSection(rows, tr("Limits"), m_limits);
    addSection(rows, tr("Network"), m_network);
    addSection(rows, tr("Program"), makeProgram());
    addSection(rows, tr("Standard input"), makeInput());
    addSection(rows, tr("Secrets"), makeSecrets());
    addSection(rows, tr("Preparation"), makePreparation());
    rows->addWidget(makeButtons());
    rows->addStretch(1);
    setWidget(content);
    // Nothing is cut off at the side, where no scroll bar would show it.
    setMinimumWidth(content->minimumSizeHint().width() + verticalScrollBar()->sizeHint().width());

    connect(m_limits, &LimitsForm::edited, this,
        [this](const std::function<void(ExecutionOptions&)>& change) {
            change(m_settings.options);
            changed();
        });
    connect(m_network, &NetworkForm::edited, this, &RunOptionsPanel::collect);
}

void RunOptionsPanel::addSection(QVBoxLayout* rows, const QString& title, QWidget* content)
{
    auto* heading = new QLabel(title, this);
    auto font = heading->font();
    font.setBold(true);
    heading->setFont(font);
    if (rows->count() > 0)
        rows->addSpacing(8);
    rows->addWidget(heading);
    rows->addWidget(content);
}

QWidget* RunOptionsPanel::makeProgram()
{
    auto* part = new QWidget(this);
    auto* form = formOf(part);
    m_arguments = makeText("runArguments", tr("Arguments"), tr("One argument a line"), 2, part);
    const auto check = [](const QString& text) -> Result<> {
        const auto directory = sandboxDirectory(text);
        if (!directory)
            return std::unexpected(directory.error());
        return {};
    };
    m_workingDirectory = new CheckedLine(tr("Working directory"), check, part);
    m_workingDirectory->setObjectName(u"runDirectory"_s);
    m_environment = new PairsTable(tr("Environment"), PairsTable::Kind::Plain, part);
    m_environment->setObjectName(u"runEnvironment"_s);
    m_isWritable = new QCheckBox(tr("It may write outside /sandbox and /tmp"), part);
    m_isWritable->setObjectName(u"runWritable"_s);
    form->addRow(tr("Arguments"), m_arguments);
    form->addRow(tr("Working directory"), m_workingDirectory);
    form->addRow(tr("Environment"), m_environment);
    form->addRow(m_isWritable);
    connect(m_arguments, &QPlainTextEdit::textChanged, this, &RunOptionsPanel::collect);
    connect(m_workingDirectory, &CheckedLine::accepted, this, &RunOptionsPanel::collect);
    connect(m_environment, &PairsTable::edited, this, &RunOptionsPanel::collect);
    connect(m_isWritable, &QCheckBox::toggled, this, &RunOptionsPanel::collect);
    return part;
}

QWidget* RunOptionsPanel::makeInput()
{
    auto* part = new QWidget(this);
    auto* rows = new QVBoxLayout(part);
    rows->setContentsMargins(0, 0, 0, 0);
    m_isInputLive = new QCheckBox(tr("Typed while it runs"), part);
    m_isInputLive->setObjectName(u"runInputLive"_s);
    m_input = makeText("runInput", tr("Standard input"), tr("What the program reads"), 3, part);
    rows->addWidget(m_isInputLive);
    rows->addWidget(m_input);
    connect(m_isInputLive, &QCheckBox::toggled, this, [this](bool isLive) {
        m_input->setVisible(!isLive);
        collect();
    });
    connect(m_input, &QPlainTextEdit::textChanged, this, &RunOptionsPanel::collect);
    return part;
}

QWidget* RunOptionsPanel::makeSecrets()
{
    auto* part = new QWidget(this);
    auto* rows = new QVBoxLayout(part);
    rows->setContentsMargins(0, 0, 0, 0);
    m_secrets = new PairsTable(tr("Secrets"), PairsTable::Kind::Secret, part);
    m_secrets->setObjectName(u"runSecrets"_s);
    auto* note = new QLabel(tr("Given as environment variables, masked in all output, and "
                               "forgotten when isol8 is closed."),
        part);
    note->setWordWrap(true);
    rows->addWidget(m_secrets);
    rows->addWidget(note);
    connect(m_secrets, &PairsTable::edited, this, &RunOptionsPanel::collect);
    return part;
}

QWidget* RunOptionsPanel::makePreparation()
{
    auto* part = new QWidget(this);
    auto* form = formOf(part);
    m_packages = new QLineEdit(part);
    m_packages->setObjectName(u"runPackages"_s);
    m_packages->setAccessibleName(tr("Packages"));
    m_packages->setPlaceholderText(tr("numpy, pandas"));
    m_setup
        = makeText("runSetup", tr("Set-up script"), tr("Bash, run before the program"), 3, part);
    m_image = new QLineEdit(part);
    m_image->setObjectName(u"runImage"_s);
    m_image->setAccessibleName(tr("Image"));
    m_image->setPlaceholderText(tr("The runtime's own"));
    form->addRow(tr("Packages to install"), m_packages);
    form->addRow(tr("Set-up script"), m_setup);
    form->addRow(tr("Image"), m_image);
    connect(m_packages, &QLineEdit::textEdited, this, &RunOptionsPanel::collect);
    connect(m_setup, &QPlainTextEdit::textChanged, this, &RunOptionsPanel::collect);
    connect(m_image, &QLineEdit::textEdited, this, &RunOptionsPanel::collect);
    return part;
}

QWidget* RunOptionsPanel::makeButtons()
{
    auto* part = new QWidget(this);
    auto* rows = new QVBoxLayout(part);
    rows->setContentsMargins(0, 8, 0, 0);
    const auto add = [part, rows](const char* name, const QString& text) {
        auto* button = new QPushButton(text, part);
        button->setObjectName(QLatin1StringView(name));
        rows->addWidget(button);
        return button;
    };
    connect(add("copyCommandLineButton", tr("Copy as command line")), &QPushButton::clicked, this,
        &RunOptionsPanel::copyCommandLineRequested);
    connect(add("copyCurlButton", tr("Copy as curl")), &QPushButton::clicked, this,
        &RunOptionsPanel::copyCurlRequested);
    connect(add("resetOptionsButton", tr("Back to the defaults")), &QPushButton::clicked, this,
        &RunOptionsPanel::resetRequested);
    return part;
}

void RunOptionsPanel::setValues(const RunSettings& settings)
{
    const QScopedValueRollback filling(m_isFilling, true);
    m_settings = settings;
    m_limits->setValues(settings.options);
    m_network->setValues(settings.options);
    m_arguments->setPlainText(settings.arguments.join(u'\n'));
    m_workingDirectory->setText(settings.workingDirectory);
    m_environment->setPairs(settings.environment);
    m_isWritable->setChecked(!settings.options.isRootReadOnly);
    m_isInputLive->setChecked(!settings.stdinText);
    m_input->setVisible(settings.stdinText.has_value());
    m_input->setPlainText(settings.stdinText.value_or(QString()));
    m_secrets->setPairs(settings.options.secrets);
    m_packages->setText(settings.packages.join(u", "_s));
    m_setup->setPlainText(settings.setupScript);
    m_image->setText(settings.options.image);
}

void RunOptionsPanel::collect()
{
    if (m_isFilling)
        return;
    m_network->writeTo(m_settings.options);
    m_settings.arguments = m_arguments->toPlainText().split(u'\n', Qt::SkipEmptyParts);
    if (m_workingDirectory->isGood())
        m_settings.workingDirectory = m_workingDirectory->text();
    m_settings.environment = m_environment->pairs();
    m_settings.options.isRootReadOnly = !m_isWritable->isChecked();
    m_settings.stdinText
        = m_isInputLive->isChecked() ? std::nullopt : std::optional(m_input->toPlainText());
    m_settings.options.secrets = m_secrets->pairs();
    m_settings.packages.clear();
    for (const auto& package : m_packages->text().split(u',', Qt::SkipEmptyParts)) {
        if (!package.trimmed().isEmpty())
            m_settings.packages << package.trimmed();
    }
    m_settings.setupScript = m_setup->toPlainText();
    m_settings.options.image = m_image->text().trimmed();
    changed();
}

void RunOptionsPanel::changed()
{
    if (!m_isFilling)
        Q_EMIT edited(m_settings);
}

} // namespace isol8::ui
