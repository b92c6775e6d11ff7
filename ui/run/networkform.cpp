// SPDX-License-Identifier: MIT
#include "ui/run/networkform.h"

#include "ui/run/hostjudge.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QScopedValueRollback>
#include <QVBoxLayout>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

QPlainTextEdit* makeList(const char* name, const QString& label, QWidget* parent)
{
    auto* list = new QPlainTextEdit(parent);
    list->setObjectName(QLatin1StringView(name));
    list->setAccessibleName(label);
    list->setPlaceholderText(NetworkForm::tr("One regular expression a line"));
    list->setTabChangesFocus(true);
    list->setFixedHeight(list->fontMetrics().lineSpacing() * 3 + 12);
    return list;
}

QStringList linesOf(const QPlainTextEdit* list)
{
    QStringList lines;
    for (const auto& line : list->toPlainText().split(u'\n', Qt::SkipEmptyParts)) {
        if (!line.trimmed().isEmpty())
            lines << line.trimmed();
    }
    return lines;
}

QString meaningOf(NetworkMode mode)
{
    switch (mode) {
    case NetworkMode::None:
        return NetworkForm::tr("The program sees no network at all.");
    case NetworkMode::Filtered:
        return NetworkForm::tr("The program reaches web servers that the lists allow, and no "
                               "private addresses.");
    case NetworkMode::Host:
        return NetworkForm::tr(
            "Careful: the program has this machine's whole network, local services included.");
    }
    return {};
}

} // namespace

NetworkForm::NetworkForm(QWidget* parent)
    : QWidget(parent)
    , m_mode(new QComboBox(this))
    , m_meaning(new QLabel(this))
    , m_filter(new QWidget(this))
    , m_allow(makeList("networkAllow", tr("Allowed hosts"), m_filter))
    , m_deny(makeList("networkDeny", tr("Refused hosts"), m_filter))
    , m_isLogged(new QCheckBox(tr("Show what it asked for"), m_filter))
    , m_host(new QLineEdit(m_filter))
    , m_verdict(new QLabel(m_filter))
{
    m_mode->setObjectName(u"networkMode"_s);
    m_mode->setAccessibleName(tr("Network"));
    m_mode->addItem(tr("None"), int(NetworkMode::None));
    m_mode->addItem(tr("Filtered"), int(NetworkMode::Filtered));
    m_mode->addItem(tr("Everything of the host"), int(NetworkMode::Host));
    m_meaning->setWordWrap(true);
    m_host->setObjectName(u"networkHost"_s);
    m_host->setAccessibleName(tr("Host name to try"));
    m_host->setPlaceholderText(tr("Try a host name, such as example.org"));
    m_verdict->setObjectName(u"networkVerdict"_s);
    m_verdict->setTextFormat(Qt::PlainText);
    m_verdict->setWordWrap(true);

    auto* filter = new QFormLayout(m_filter);
    filter->setContentsMargins(0, 0, 0, 0);
    filter->setRowWrapPolicy(QFormLayout::WrapAllRows);
    filter->addRow(tr("Allowed hosts (empty: every public one)"), m_allow);
    filter->addRow(tr("Refused hosts"), m_deny);
    filter->addRow(m_host);
    filter->addRow(m_verdict);
    filter->addRow(m_isLogged);
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->addWidget(m_mode);
    rows->addWidget(m_meaning);
    rows->addWidget(m_filter);
    connect(m_mode, &QComboBox::currentIndexChanged, this, &NetworkForm::handleEdit);
    connect(m_allow, &QPlainTextEdit::textChanged, this, &NetworkForm::handleEdit);
    connect(m_deny, &QPlainTextEdit::textChanged, this, &NetworkForm::handleEdit);
    connect(m_isLogged, &QCheckBox::toggled, this, &NetworkForm::handleEdit);
    connect(m_host, &QLineEdit::textChanged, this, &NetworkForm::judge);
    handleEdit();
}

void NetworkForm::setValues(const ExecutionOptions& options)
{
    const QScopedValueRollback filling(m_isFilling, true);
    m_mode->setCurrentIndex(m_mode->findData(int(options.network)));
    m_allow->setPlainText(options.networkFilter.allow.join(u'\n'));
    m_deny->setPlainText(options.networkFilter.deny.join(u'\n'));
    m_isLogged->setChecked(options.isNetworkLogged);
    handleEdit();
}

void NetworkForm::writeTo(ExecutionOptions& options) const
{
    options.network = NetworkMode(m_mode->currentData().toInt());
    options.networkFilter.allow = linesOf(m_allow);
    options.networkFilter.deny = linesOf(m_deny);
    options.isNetworkLogged = options.network == NetworkMode::Filtered && m_isLogged->isChecked();
}

void NetworkForm::handleEdit()
{
    const auto mode = NetworkMode(m_mode->currentData().toInt());
    m_meaning->setText(meaningOf(mode));
    m_filter->setVisible(mode == NetworkMode::Filtered);
    judge();
    if (!m_isFilling)
        Q_EMIT edited();
}

void NetworkForm::judge()
{
    ExecutionOptions options;
    writeTo(options);
    const auto verdict = judgeHost(options.networkFilter, m_host->text());
    const auto by = verdict.rule.isEmpty() ? QString() : u": "_s + verdict.rule;
    if (verdict.kind == HostVerdict::Kind::BadPattern)
        m_verdict->setText(tr("Not a regular expression") + by);
    else if (m_host->text().trimmed().isEmpty())
        m_verdict->clear();
    else if (verdict.kind == HostVerdict::Kind::Allowed)
        m_verdict->setText(u"✓ "_s + tr("Allowed") + by);
    else
        m_verdict->setText(u"✗ "_s + tr("Refused") + by);
}

} // namespace isol8::ui
