"""The VMS's entities, one a line: name, code property, members (docs/systems/vms.md#1-11, #3-11 and #a19).

A member is written ``name`` (text), ``name:32`` (text of at most 32 characters), ``name#`` (number), ``name%`` (whole
number), ``name@`` (date), ``name?`` (boolean), ``name>Entity`` (reference), ``name*Entity.back`` (array of children
that point back to their parent) or ``name+Entity`` (array of links). Before it, ``!`` says required, ``-`` not
filterable; behind it, ``^`` says unique. ``~`` behind an entity's name makes it a value: equal ones are one object.
Pool, BusinessUnit and the like carry the members that live clients were seen to read. Where installations spell a
member in two ways, both are here and the seed decides which of them has values: a partner type's code, the pool of a
vessel or of one of its codes.
"""

from __future__ import annotations

ENTITIES = """
Document/documentNo: !documentType>DocumentType !documentNo:32 externalDocumentNo:64 documentText:512 !documentDate@
  !documentAmount# !companyCurrencyAmount# sourceCurrencyAmount# !documentCurrency>Currency !company>Company
  issuingCompany>Company businessPartner>BusinessPartner invoicingStatus>StatusType dueDate@ glAccount vat>Vat
  documentPaymentTerms*DocumentPaymentTerm.document documentLines*DocumentLine.document
  estimateAmount# estimateAmountTotal# estimateAmountYtd# accountAmount# accountAmountYtd# voyageSnapshot>VoyageSnapshot
  invoiced@ assembled@ reversed@ -remarks*Remark.source
DocumentLine: !document>Document !documentAmount# !companyCurrencyAmount# sourceCurrencyAmount#
  documentCurrency>Currency sourceCurrencyCode exchangeRate# exchangeRateDate@ -glAccount account>Account
  handlingCostCode quantity# unitPrice# invoicingStatus>StatusType documentLineText:1024
  businessPartner>BusinessPartner isAccountsPayable? refDocument>Document vatRate>VatRate voyage>Voyage
  vesselCode>VesselCode commission>Commission portCall>PortCall freightRate>FreightRate handlingCost>HandlingCost
  businessUnit>BusinessUnit billOfLading>BillOfLading claim>Claim offhire>Offhire
DocumentPaymentTerm: !document>Document dueDate@ percentage#
DocumentType/documentType: !documentType:3 !documentTypeDesc:32
StatusClass~/statusClass: !statusClass statusClassDesc
StatusType/statusTypeCode: isFixed? statusClass>StatusClass !statusTypeCode:5 !statusTypeDesc:20 statusTypeSequence%
BusinessPartner/businessPartnerCode: !businessPartnerCode:12^ !businessPartnerName:80 businessPartnerName2:80
  !businessPartnerSort:20^ businessPartnerType>BusinessPartnerType businessPartnerLink>BusinessPartner
  payee>BusinessPartner businessUnit>BusinessUnit baselineTerm>BaselineTerm paymentTerms>PaymentTerms
  bankAccount>BankAccount companyBankAccount>BankAccount bankAccounts+BankAccount addresses*Address.source
  contactInfo*ContactInfo.source individuals*Individual.source -remarks*Remark.source companyRegistrationNo:24
  vatNumber:24 isInterCompany? isTotalCommissionPayable? maxAdvancePaymentPercent% user>User
  portAgentType>PortAgentType
BusinessPartnerType/businessPartnerType: businessPartnerType businessPartnerTypeCode businessPartnerTypeDesc
Address: address1 address2 address3 address4 zipCode city country>Country source%
ContactInfo: email phone fax mobile source%
Individual/individualName: !individualName email phone source%
ChannelType/channelType: !channelType channelTypeDesc
ChannelInfo: channelType>ChannelType channelInfo source%
Www: www source%
Bank/swiftAddress: !bankName !swiftAddress^ chip abaNumber -addresses*Address.source -contactInfo*ContactInfo.source
BankAccount/bankAccountNo: bankAccountNo bank>Bank currency>Currency iban
Remark: remarkTitle remark source% attachments*Attachment.remark
Attachment: !fileName !file filesize% remark>Remark
PaymentTerms/paymentTermsCode: !paymentTermsCode paymentTermsDesc
BaselineTerm/baselineTermCode: !baselineTermCode baselineTermDesc
BusinessUnit/businessUnitCode: !businessUnitCode businessUnitName
PortAgentType/portAgentTypeCode: !portAgentTypeCode portAgentTypeDesc
User/userCode: !userCode userName email
Company/companyCode: !companyCode companyName country>Country currency>Currency companyLink>Company
Country/countryCode: !countryCode countryName currency>Currency
Currency/currencyCode: !currencyCode:3 currencyName
ExchangeRate: !currency>Currency !fromCurrency>Currency !exchangeRate# !exchangeRateDate@ budgetVersion
Account/accountCode: !accountCode accountName accountDesc glAccount glAccountAccrual balanceAccountAccrual
  balanceAccountAccrualAsset isRevenue? pctCompare% company>Company fulfilmentLevel#
Vat/vatCode: !vatCode vatDesc
VatRate~: vatRate# vat>Vat
System: country>Country
Vessel/vesselName: !vesselName:40 imoNumber:7 vesselType>VesselType flag>Country registeredPort>Port
  vesselCodes*VesselCode.vessel voyageCurrency>Currency builtYear% callSignal:7 dwtSummer# pool>Pool
  owner>BusinessPartner openPosition>PortCall
VesselCode/vesselCode: !vesselCode:6 !vessel>Vessel pool>Pool defaultCompany>Company
  defaultBusinessUnit>BusinessUnit fleetEntryDate@ fleetExitDate@
VesselType/vesselTypeCode: !vesselTypeCode vesselTypeDesc
Pool~/poolCode: !poolCode poolName
VoyageHeader/referenceNo: referenceNo:32 voyageNo voyageStartYear% voyageStatus>StatusType isBudget? isTemplate?
  isEstimate? isUnallocated? operator>User charteringResponsible>User
Voyage: voyageHeader>VoyageHeader vessel>Vessel isTc? voyageStartDateGMT@ voyageEndDateGMT@
  scenarios*Scenario.voyage cargos*Cargo.voyage portCalls*PortCall.voyage
VoyageSnapshot: voyage>Voyage snapshotDate@
VoyageEstimate: !company>Company !voyage>Voyage !glAccount !estimateAmount# !documentCurrency>Currency !accrualAccount
  fulfilmentLevel# accountText:512
Scenario/scenarioCode: !scenarioCode voyage>Voyage
Cargo/cargoNo: cargoNo voyage>Voyage charterer>BusinessPartner commodity>Commodity quantity#
  cargoPorts*CargoPort.cargo
CargoPort: cargo>Cargo cargoPortSequence% portCall>PortCall reasonForCall>ReasonForCall
Commodity/commodityName: !commodityName
PortCall: voyage>Voyage portCallSequence% arrivalFixed@ departureFixed@ reasonForCall>ReasonForCall port>Port
  eventLogs*EventLog.portCall
Port~/portName: !portName country>Country
ReasonForCall~/reasonForCall: !reasonForCall reasonForCallDesc
EventLog: portCall>PortCall eventLogDate@ isDateFixed? event>Event
Event~/eventCode: !eventCode eventDesc
BunkerType/bunkerTypeCode: !bunkerTypeCode bunkerTypeDesc
BunkerOrder/bunkerOrderNo: bunkerOrderNo portCall>PortCall businessPartner>BusinessPartner
  bunkerOrderLines*BunkerOrderLine.bunkerOrder
BunkerOrderLine: bunkerOrder>BunkerOrder bunkerType>BunkerType quantity# unitPrice#
FreightRate: freightRate# cargo>Cargo
Commission: commissionPercent# commissionAmount#
HandlingCost: handlingCostCode amount#
BillOfLading/billOfLadingNo: billOfLadingNo cargo>Cargo
Claim/claimNo: claimNo voyage>Voyage
Offhire: voyage>Voyage offhireFrom@ offhireTo@
LaytimeTimeSheetItem: portCall>PortCall fromDate@ toDate@
WebhookSubscription: !eventType:1 !objectType user expression url onlyMainObject? webhookUsername webhookPassword
  doNotUnsubscribe? isActive?
AuditLog: objectName attributeName source% user>User actionTime@ entryText isChangedByUser? newValue oldValue
  action>Action
Action~/actionName: !actionName
"""
