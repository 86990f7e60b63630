import iced from 'iced-x86';

/** iced's enumerations as plain numbers: decoded rows hold numbers, and comparing them needs no casts. */
type Numbers<E> = { readonly [Name in keyof E as Name extends string ? Name : never]: number };

export const Code: Numbers<typeof iced.Code> = iced.Code;
export const FlowControl: Numbers<typeof iced.FlowControl> = iced.FlowControl;
export const Mnemonic: Numbers<typeof iced.Mnemonic> = iced.Mnemonic;
export const OpKind: Numbers<typeof iced.OpKind> = iced.OpKind;
export const Register: Numbers<typeof iced.Register> = iced.Register;
